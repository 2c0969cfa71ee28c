package import ReconcilerTime

/// An image (`GET /images/{name}/json`).
package struct ImageDetails: Codable, Sendable, Hashable {
    /// The image's id.
    package var id: String
    /// Its tags.
    package var tags: [String]
    /// Its digests in registries.
    package var digests: [String]
    /// The defaults of its containers.
    package var config: ContainerConfig
    /// When it was created.
    package var createdAt: Timestamp?
    /// Its size in bytes.
    package var size: Int64
    /// Such as `linux`.
    package var os: String
    /// Its architecture in Go's words: `amd64`.
    package var architecture: String

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case tags = "RepoTags"
        case digests = "RepoDigests"
        case config = "Config"
        case createdAt = "Created"
        case size = "Size"
        case os = "Os"
        case architecture = "Architecture"
    }

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
    package init(
        id: String,
        tags: [String] = [],
        digests: [String] = [],
        config: ContainerConfig = ContainerConfig(),
        createdAt: Timestamp? = nil,
        size: Int64 = 0,
        os: String = "",
        architecture: String = ""
    ) {
        self.id = id
        self.tags = tags
        self.digests = digests
        self.config = config
        self.createdAt = createdAt
        self.size = size
        self.os = os
        self.architecture = architecture
    }

    /// Decodes the engine's JSON; null and absent mean the same.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        tags = try values.decode(.tags, or: [])
        digests = try values.decode(.digests, or: [])
        config = try values.decode(.config, or: ContainerConfig())
        createdAt = try values.decodeTime(.createdAt)
        size = try values.decode(.size, or: 0)
        os = try values.decode(.os, or: "")
        architecture = try values.decode(.architecture, or: "")
    }
}
