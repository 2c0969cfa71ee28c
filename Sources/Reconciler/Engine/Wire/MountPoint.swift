/// An existing mount in a container.
package struct MountPoint: Codable, Sendable, Hashable {
    /// `volume`, `bind` or `tmpfs`.
    package var type: String
    /// The volume's name; empty for other types.
    package var name: String
    /// The path on the engine's host.
    package var source: String
    /// The path in the container.
    package var destination: String
    /// Whether the container may write.
    package var isWritable: Bool

    private enum CodingKeys: String, CodingKey {
        case type = "Type"
        case name = "Name"
        case source = "Source"
        case destination = "Destination"
        case isWritable = "RW"
    }

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
    package init(
        type: String = "",
        name: String = "",
        source: String = "",
        destination: String,
        isWritable: Bool = true
    ) {
        self.type = type
        self.name = name
        self.source = source
        self.destination = destination
        self.isWritable = isWritable
    }

    /// Decodes the engine's JSON; null and absent mean the same.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        type = try values.decode(.type, or: "")
        name = try values.decode(.name, or: "")
        source = try values.decode(.source, or: "")
        destination = try values.decode(String.self, forKey: .destination)
        isWritable = try values.decode(.isWritable, or: true)
    }
}
