package import ReconcilerTime

/// A network.
package struct NetworkSummary: Codable, Sendable, Hashable {
    /// The network's id.
    package var id: String
    /// Its name; two networks can share one.
    package var name: String
    /// Such as `bridge`.
    package var driver: String
    /// `local`, or `swarm`.
    package var scope: String
    /// Whether it has no route to other networks.
    package var isInternal: Bool
    /// Its labels.
    package var labels: [String: String]
    /// The driver's options.
    package var options: [String: String]
    /// Its subnets.
    package var ipam: IPAM
    /// When it was created.
    package var createdAt: Timestamp?
    /// Its running containers by id; only `network(_:)` fills it.
    package var containers: [String: Attachment]

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case name = "Name"
        case driver = "Driver"
        case scope = "Scope"
        case isInternal = "Internal"
        case labels = "Labels"
        case options = "Options"
        case ipam = "IPAM"
        case createdAt = "Created"
        case containers = "Containers"
    }

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
    package init(
        id: String,
        name: String,
        driver: String = "bridge",
        scope: String = "local",
        isInternal: Bool = false,
        labels: [String: String] = [:],
        options: [String: String] = [:],
        ipam: IPAM = IPAM(),
        createdAt: Timestamp? = nil,
        containers: [String: Attachment] = [:]
    ) {
        self.id = id
        self.name = name
        self.driver = driver
        self.scope = scope
        self.isInternal = isInternal
        self.labels = labels
        self.options = options
        self.ipam = ipam
        self.createdAt = createdAt
        self.containers = containers
    }

    /// Decodes the engine's JSON; null and absent mean the same.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        name = try values.decode(String.self, forKey: .name)
        driver = try values.decode(.driver, or: "bridge")
        scope = try values.decode(.scope, or: "local")
        isInternal = try values.decode(.isInternal, or: false)
        labels = try values.decode(.labels, or: [:])
        options = try values.decode(.options, or: [:])
        ipam = try values.decode(.ipam, or: IPAM())
        createdAt = try values.decodeTime(.createdAt)
        containers = try values.decode(.containers, or: [:])
    }

    /// A running container on the network.
    package struct Attachment: Codable, Sendable, Hashable {
        /// The container's name.
        package var name: String
        /// Its address with the prefix length, such as `10.0.0.2/28`.
        package var ipv4Address: String

        private enum CodingKeys: String, CodingKey {
            case name = "Name"
            case ipv4Address = "IPv4Address"
        }

        /// An attached container.
        package init(name: String, ipv4Address: String = "") {
            self.name = name
            self.ipv4Address = ipv4Address
        }
    }
}
