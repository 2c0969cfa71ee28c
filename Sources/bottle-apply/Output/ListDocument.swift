/// A list as `-o json` prints it (SPEC 10).
struct ListDocument<Item: Encodable>: Encodable {
    var apiVersion = "bottle/v1"
    var kind: String
    /// The bottle that all items are of; nil: each names its own, if any.
    var bottle: String?
    var items: [Item]
}
