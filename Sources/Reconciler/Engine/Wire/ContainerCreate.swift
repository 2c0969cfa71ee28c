/// A container to create: what runs in it, what it may do, its networks.
package struct ContainerCreate: Codable, Sendable, Hashable {
    /// What runs in it.
    package var config: ContainerConfig
    /// Its grants and restrictions.
    package var hostConfig: HostConfig
    /// Its endpoints, by network name or id.
    ///
    /// Engines before API 1.44 accept one at creation; connect the others before the first start.
    package var endpoints: [String: EndpointCreate]

    /// A container to create.
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

    /// Decodes the body of a create request.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        config = try ContainerConfig(from: decoder)
        hostConfig = try values.decode(.hostConfig, or: HostConfig())
        endpoints = try values.decodeIfPresent(Networking.self, forKey: .networking)?.endpoints ?? [:]
    }

    /// Encodes the body of a create request: the configuration's keys at the top level, beside the other two parts.
    package func encode(to encoder: any Encoder) throws {
        try config.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(hostConfig, forKey: .hostConfig)
        if !endpoints.isEmpty {
            try values.encode(Networking(endpoints: endpoints), forKey: .networking)
        }
    }
}
