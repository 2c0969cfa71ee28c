/// An endpoint to create on a network.
package struct EndpointCreate: Codable, Sendable, Hashable {
    /// The fixed address; the engine chooses one if absent.
    package var addressing: NetworkEndpoint.Addressing?
    /// Names on this network in addition to the container's own.
    package var aliases: [String]?

    private enum CodingKeys: String, CodingKey {
        case addressing = "IPAMConfig"
        case aliases = "Aliases"
    }

    /// An endpoint, with a fixed address if `ipv4` is given.
    package init(ipv4: String? = nil, aliases: [String]? = nil) {
        addressing = ipv4.map { NetworkEndpoint.Addressing(ipv4Address: $0) }
        self.aliases = aliases
    }
}
