/// A network to create.
package struct NetworkCreate: Codable, Sendable, Hashable {
    /// Its name.
    package var name: String
    /// Whether the engine refuses a name in use; without it, engines before API 1.44 create a second such network.
    package var checkDuplicate: Bool
    /// The driver.
    package var driver: String?
    /// Whether it has no route to other networks.
    package var isInternal: Bool?
    /// Whether containers may join a swarm network.
    package var isAttachable: Bool?
    /// Whether it also has IPv6.
    package var enableIPv6: Bool?
    /// Its subnets; the engine chooses if absent.
    package var ipam: IPAM?
    /// The driver's options.
    package var options: [String: String]?
    /// Its labels.
    package var labels: [String: String]?

    private enum CodingKeys: String, CodingKey {
        case name = "Name"
        case checkDuplicate = "CheckDuplicate"
        case driver = "Driver"
        case isInternal = "Internal"
        case isAttachable = "Attachable"
        case enableIPv6 = "EnableIPv6"
        case ipam = "IPAM"
        case options = "Options"
        case labels = "Labels"
    }

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
    package init(
        name: String,
        checkDuplicate: Bool = true,
        driver: String? = "bridge",
        isInternal: Bool? = nil,
        isAttachable: Bool? = nil,
        enableIPv6: Bool? = nil,
        ipam: IPAM? = nil,
        options: [String: String]? = nil,
        labels: [String: String]? = nil
    ) {
        self.name = name
        self.checkDuplicate = checkDuplicate
        self.driver = driver
        self.isInternal = isInternal
        self.isAttachable = isAttachable
        self.enableIPv6 = enableIPv6
        self.ipam = ipam
        self.options = options
        self.labels = labels
    }
}
