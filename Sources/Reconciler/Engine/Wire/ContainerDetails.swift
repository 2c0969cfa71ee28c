package import ReconcilerTime

/// The full state of a container (`GET /containers/{id}/json`).
package struct ContainerDetails: Codable, Sendable, Hashable {
    /// The container's id.
    package var id: String
    /// Its name, without the engine's leading slash.
    package var name: String
    /// The image's id; `config.image` is the name that the request used.
    package var imageID: String
    /// What runs in it.
    package var config: ContainerConfig
    /// The state of its process.
    package var state: ContainerState
    /// How often the restart policy has restarted it.
    package var restartCount: Int
    /// Its grants and restrictions.
    package var hostConfig: HostConfig
    /// Its endpoints, by network name.
    package var networks: [String: NetworkEndpoint]
    /// What is mounted in it.
    package var mounts: [MountPoint]
    /// When it was created.
    package var createdAt: Timestamp?

    /// A container with the given parts.
    package init(
        id: String,
        name: String,
        imageID: String = "",
        config: ContainerConfig = ContainerConfig(),
        state: ContainerState = ContainerState(status: "created"),
        restartCount: Int = 0,
        hostConfig: HostConfig = HostConfig(),
        networks: [String: NetworkEndpoint] = [:],
        mounts: [MountPoint] = [],
        createdAt: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.imageID = imageID
        self.config = config
        self.state = state
        self.restartCount = restartCount
        self.hostConfig = hostConfig
        self.networks = networks
        self.mounts = mounts
        self.createdAt = createdAt
    }

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case name = "Name"
        case imageID = "Image"
        case config = "Config"
        case state = "State"
        case restartCount = "RestartCount"
        case hostConfig = "HostConfig"
        case networkSettings = "NetworkSettings"
        case mounts = "Mounts"
        case createdAt = "Created"
    }

    /// Decodes the engine's JSON; null and absent mean the same.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        name = ContainerName.withoutSlash(try values.decode(String.self, forKey: .name))
        imageID = try values.decode(.imageID, or: "")
        config = try values.decode(.config, or: ContainerConfig())
        state = try values.decode(ContainerState.self, forKey: .state)
        restartCount = try values.decode(.restartCount, or: 0)
        hostConfig = try values.decode(.hostConfig, or: HostConfig())
        networks = try values.decodeIfPresent(AttachedNetworks.self, forKey: .networkSettings)?.networks ?? [:]
        mounts = try values.decode(.mounts, or: [])
        createdAt = try values.decodeTime(.createdAt)
    }

    /// Encodes the engine's JSON.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(id, forKey: .id)
        try values.encode("/\(name)", forKey: .name)
        try values.encode(imageID, forKey: .imageID)
        try values.encode(config, forKey: .config)
        try values.encode(state, forKey: .state)
        try values.encode(restartCount, forKey: .restartCount)
        try values.encode(hostConfig, forKey: .hostConfig)
        try values.encode(AttachedNetworks(networks: networks), forKey: .networkSettings)
        try values.encode(mounts, forKey: .mounts)
        try values.encodeIfPresent(createdAt, forKey: .createdAt)
    }
}
