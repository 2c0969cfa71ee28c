/// A container as listed: everything that a quiet pass needs, for all containers in one call.
package struct ContainerSummary: Codable, Sendable, Hashable {
    /// The container's id.
    package var id: String
    /// Its names, without the engine's leading slash.
    package var names: [String]
    /// The image's name when the container was created; the id if that name now means another image.
    package var image: String
    /// The image's id.
    package var imageID: String
    /// Its labels, including the image's.
    package var labels: [String: String]
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`.
    package var state: String
    /// The state for people, with health and exit code: `Up 2 minutes (healthy)`.
    package var status: String
    /// When it was created, in seconds since 1970.
    package var created: Int64
    /// Its network mode at creation.
    package var networkMode: String
    /// Its endpoints, by network name; without aliases.
    package var networks: [String: NetworkEndpoint]
    /// What is mounted in it.
    package var mounts: [MountPoint]

    /// A container with the given parts.
    package init(
        id: String,
        names: [String] = [],
        image: String = "",
        imageID: String = "",
        labels: [String: String] = [:],
        state: String = "created",
        status: String = "Created",
        created: Int64 = 0,
        networkMode: String = "",
        networks: [String: NetworkEndpoint] = [:],
        mounts: [MountPoint] = []
    ) {
        self.id = id
        self.names = names
        self.image = image
        self.imageID = imageID
        self.labels = labels
        self.state = state
        self.status = status
        self.created = created
        self.networkMode = networkMode
        self.networks = networks
        self.mounts = mounts
    }

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case names = "Names"
        case image = "Image"
        case imageID = "ImageID"
        case labels = "Labels"
        case state = "State"
        case status = "Status"
        case created = "Created"
        case hostConfig = "HostConfig"
        case networkSettings = "NetworkSettings"
        case mounts = "Mounts"
    }

    private struct Mode: Codable {
        var networkMode: String?

        enum CodingKeys: String, CodingKey { case networkMode = "NetworkMode" }
    }

    /// Decodes the engine's JSON; null and absent mean the same.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        names = try values.decode(.names, or: [String]()).map(ContainerName.withoutSlash)
        image = try values.decode(.image, or: "")
        imageID = try values.decode(.imageID, or: "")
        labels = try values.decode(.labels, or: [:])
        state = try values.decode(.state, or: "")
        status = try values.decode(.status, or: "")
        created = try values.decode(.created, or: 0)
        networkMode = try values.decodeIfPresent(Mode.self, forKey: .hostConfig)?.networkMode ?? ""
        networks = try values.decodeIfPresent(AttachedNetworks.self, forKey: .networkSettings)?.networks ?? [:]
        mounts = try values.decode(.mounts, or: [])
    }

    /// Encodes the engine's JSON.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(id, forKey: .id)
        try values.encode(names.map { "/\($0)" }, forKey: .names)
        try values.encode(image, forKey: .image)
        try values.encode(imageID, forKey: .imageID)
        try values.encode(labels, forKey: .labels)
        try values.encode(state, forKey: .state)
        try values.encode(status, forKey: .status)
        try values.encode(created, forKey: .created)
        try values.encode(Mode(networkMode: networkMode), forKey: .hostConfig)
        try values.encode(AttachedNetworks(networks: networks), forKey: .networkSettings)
        try values.encode(mounts, forKey: .mounts)
    }
}
