/// A container's endpoint on one network.
package struct NetworkEndpoint: Codable, Sendable, Hashable {
    /// The network's id; empty before the container's first start, and in a request.
    package var networkID: String
    /// The endpoint's id; empty while the container is not running.
    package var endpointID: String
    /// The IPv4 address in use; empty while the container is not running.
    package var ipAddress: String
    /// The subnet's prefix length; 0 while the container is not running.
    package var prefixLength: Int
    /// The default gateway on this network; empty on an internal network.
    package var gateway: String
    /// The hardware address.
    package var macAddress: String
    /// The names in addition to the container's own.
    ///
    /// The container list leaves them out; engines before API 1.45 add the container's short id.
    package var aliases: [String]
    /// The requested address, if any.
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

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
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

    /// Decodes the engine's JSON; null and absent mean the same.
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

    /// A requested address.
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
