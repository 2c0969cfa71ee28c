import ReconcilerTime

/// An image as listed.
package struct ImageSummary: Codable, Sendable, Hashable {
    /// The image's id.
    package var id: String
    /// Its tags, such as `debian:trixie-slim`.
    package var tags: [String]
    /// Its digests in registries.
    package var digests: [String]
    /// Its labels.
    package var labels: [String: String]
    /// When it was created, in seconds since 1970.
    package var created: Int64
    /// Its size in bytes.
    package var size: Int64

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case tags = "RepoTags"
        case digests = "RepoDigests"
        case labels = "Labels"
        case created = "Created"
        case size = "Size"
    }

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
    package init(
        id: String,
        tags: [String] = [],
        digests: [String] = [],
        labels: [String: String] = [:],
        created: Int64 = 0,
        size: Int64 = 0
    ) {
        self.id = id
        self.tags = tags
        self.digests = digests
        self.labels = labels
        self.created = created
        self.size = size
    }

    /// Decodes the engine's JSON; null and absent mean the same.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        tags = try values.decode(.tags, or: [])
        digests = try values.decode(.digests, or: [])
        labels = try values.decode(.labels, or: [:])
        created = try values.decode(.created, or: 0)
        size = try values.decode(.size, or: 0)
    }
}
