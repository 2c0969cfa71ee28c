/// A container's place on one network.
package struct NetworkEndpoint: Codable, Sendable, Hashable {
    /// The network's id; empty until the container was started once, or in a request.
    package var networkID: String
    /// The endpoint's id; empty while the container does not run.
    package var endpointID: String
    /// The IPv4 address in use; empty while the container does not run.
    package var ipAddress: String
    /// The subnet's prefix length; 0 while the container does not run.
    package var prefixLength: Int
    /// The default gateway on this network; empty on an internal network.
    package var gateway: String
    /// The hardware address.
    package var macAddress: String
    /// The names besides the container's own.
    ///
    /// The container list leaves them out; engines before API 1.45 add the short container id.
    package var aliases: [String]
    /// The address asked for, when one was.
    package var addressing: Addressing?

    private enum CodingKeys: String, CodingKey {
        case networkID = "NetworkID"
        case endpointID = "EndpointID"
        case ipAddress = "IPAddress"
        case prefixLength = "IPPrefixLen"
        case gateway = "Gateway"
        case macAddress = "MacAddress"
        case aliases = "Aliases"
        case addressing = "IPAMConfig"
    }

    /// A value with the given parts; what is left out is as an engine that says nothing of it.
    package init(
        networkID: String = "",
        endpointID: String = "",
        ipAddress: String = "",
        prefixLength: Int = 0,
        gateway: String = "",
        macAddress: String = "",
        aliases: [String] = [],
        addressing: Addressing? = nil
    ) {
        self.networkID = networkID
        self.endpointID = endpointID
        self.ipAddress = ipAddress
        self.prefixLength = prefixLength
        self.gateway = gateway
        self.macAddress = macAddress
        self.aliases = aliases
        self.addressing = addressing
    }

    /// What the engine sent; null and absent mean the same.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        networkID = try values.decode(.networkID, or: "")
        endpointID = try values.decode(.endpointID, or: "")
        ipAddress = try values.decode(.ipAddress, or: "")
        prefixLength = try values.decode(.prefixLength, or: 0)
        gateway = try values.decode(.gateway, or: "")
        macAddress = try values.decode(.macAddress, or: "")
        aliases = try values.decode(.aliases, or: [])
        addressing = try values.decodeIfPresent(Addressing.self, forKey: .addressing)
    }

    /// An address that was asked for.
    package struct Addressing: Codable, Sendable, Hashable {
        /// The fixed IPv4 address.
        package var ipv4Address: String?

        private enum CodingKeys: String, CodingKey { case ipv4Address = "IPv4Address" }

        /// A fixed address.
        package init(ipv4Address: String? = nil) {
            self.ipv4Address = ipv4Address
        }
    }
}

/// Something mounted in a container, as the engine did it.
package struct MountPoint: Codable, Sendable, Hashable {
    /// `volume`, `bind` or `tmpfs`.
    package var type: String
    /// The volume's name; empty for other types.
    package var name: String
    /// Where it is on the engine's host.
    package var source: String
    /// Where it is in the container.
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

    /// A value with the given parts; what is left out is as an engine that says nothing of it.
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

    /// What the engine sent; null and absent mean the same.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        type = try values.decode(.type, or: "")
        name = try values.decode(.name, or: "")
        source = try values.decode(.source, or: "")
        destination = try values.decode(String.self, forKey: .destination)
        isWritable = try values.decode(.isWritable, or: true)
    }
}
