/// A container to make: what runs in it, what it may do, where it is attached.
package struct ContainerCreate: Codable, Sendable, Hashable {
    /// What runs in it.
    package var config: ContainerConfig
    /// What it is granted and forbidden.
    package var hostConfig: HostConfig
    /// Its places on networks, by network name or id.
    ///
    /// Engines before API 1.44 take one at creation; connect the others before the first start.
    package var endpoints: [String: EndpointCreate]

    /// A container to make.
    package init(
        config: ContainerConfig,
        hostConfig: HostConfig = HostConfig(),
        endpoints: [String: EndpointCreate] = [:]
    ) {
        self.config = config
        self.hostConfig = hostConfig
        self.endpoints = endpoints
    }

    private enum CodingKeys: String, CodingKey {
        case hostConfig = "HostConfig"
        case networking = "NetworkingConfig"
    }

    private struct Networking: Codable {
        var endpoints: [String: EndpointCreate]?

        enum CodingKeys: String, CodingKey { case endpoints = "EndpointsConfig" }
    }

    /// From a create request's body.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        config = try ContainerConfig(from: decoder)
        hostConfig = try values.decode(.hostConfig, or: HostConfig())
        endpoints = try values.decodeIfPresent(Networking.self, forKey: .networking)?.endpoints ?? [:]
    }

    /// As a create request's body: the configuration's keys at the top, beside the other two parts.
    package func encode(to encoder: any Encoder) throws {
        try config.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(hostConfig, forKey: .hostConfig)
        if !endpoints.isEmpty {
            try values.encode(Networking(endpoints: endpoints), forKey: .networking)
        }
    }
}

/// A place on a network to ask for.
package struct EndpointCreate: Codable, Sendable, Hashable {
    /// The fixed address; the engine picks when absent.
    package var addressing: NetworkEndpoint.Addressing?
    /// Names on this network besides the container's own.
    package var aliases: [String]?

    private enum CodingKeys: String, CodingKey {
        case addressing = "IPAMConfig"
        case aliases = "Aliases"
    }

    /// A place, with an address of its own when `ipv4` is given.
    package init(ipv4: String? = nil, aliases: [String]? = nil) {
        addressing = ipv4.map { NetworkEndpoint.Addressing(ipv4Address: $0) }
        self.aliases = aliases
    }
}

/// What `POST /containers/create` answered.
package struct CreatedContainer: Codable, Sendable, Hashable {
    /// The new container's id.
    package var id: String
    /// What the engine warns of, such as a limit that it can't enforce.
    package var warnings: [String]

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case warnings = "Warnings"
    }

    /// A created container.
    package init(id: String, warnings: [String] = []) {
        self.id = id
        self.warnings = warnings
    }

    /// What the engine sent; null warnings are none.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        warnings = try values.decode(.warnings, or: [])
    }
}
