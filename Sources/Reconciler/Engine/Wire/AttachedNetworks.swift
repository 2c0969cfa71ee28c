/// The part of a container's `NetworkSettings` that newer engines still have.
struct AttachedNetworks: Codable {
    var networks: [String: NetworkEndpoint]?

    enum CodingKeys: String, CodingKey { case networks = "Networks" }
}
