/// One commit of the desired-state repository.
package struct Revision: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The commit's id: 40 or 64 lowercase hexadecimal digits.
    package let id: String

    /// - Returns: nil unless `id` is a full commit id.
    package init?(_ id: some StringProtocol) {
        guard id.utf8.count == 40 || id.utf8.count == 64,
            id.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { return nil }
        self.id = String(id)
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let revision = Revision(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a commit id: '\(text)'")
            )
        }
        self = revision
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(id)
    }

    /// The first 12 digits, for people.
    package var short: String { String(id.prefix(12)) }

    package var description: String { id }
}
