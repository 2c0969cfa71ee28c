import NIOHTTP1

extension EngineClient {
    /// Maps to `GET /networks`.
    package func networks(labels: [String]) async throws(EngineError) -> [NetworkSummary] {
        let query = try EngineRequest.filters(["label": labels])
        return try await value([NetworkSummary].self, request(.GET, "/networks", query))
    }

    /// Maps to `GET /networks/{id}`.
    package func network(_ reference: String) async throws(EngineError) -> NetworkSummary {
        try await value(NetworkSummary.self, request(.GET, try Self.networkPath(reference)))
    }

    /// Maps to `POST /networks/create`.
    package func createNetwork(_ network: NetworkCreate) async throws(EngineError) -> String {
        struct Answer: Decodable {
            var id: String

            enum CodingKeys: String, CodingKey { case id = "Id" }
        }
        return try await value(Answer.self, try request(.POST, "/networks/create", json: network)).id
    }

    /// Maps to `DELETE /networks/{id}`.
    package func removeNetwork(_ reference: String) async throws(EngineError) {
        try await call(request(.DELETE, try Self.networkPath(reference)))
    }

    /// Maps to `POST /networks/{id}/connect`.
    package func connect(
        network: String,
        container: String,
        endpoint: EndpointCreate
    ) async throws(EngineError) {
        struct Connect: Encodable {
            var container: String
            var endpoint: EndpointCreate

            enum CodingKeys: String, CodingKey {
                case container = "Container"
                case endpoint = "EndpointConfig"
            }
        }
        let body = Connect(container: container, endpoint: endpoint)
        try await call(try request(.POST, try Self.networkPath(network, "/connect"), json: body))
    }

    /// Maps to `POST /networks/{id}/disconnect`.
    package func disconnect(network: String, container: String, force: Bool) async throws(EngineError) {
        struct Disconnect: Encodable {
            var container: String
            var force: Bool

            enum CodingKeys: String, CodingKey {
                case container = "Container"
                case force = "Force"
            }
        }
        let body = Disconnect(container: container, force: force)
        try await call(try request(.POST, try Self.networkPath(network, "/disconnect"), json: body))
    }

    private static func networkPath(_ network: String, _ rest: String = "") throws(EngineError) -> String {
        "/networks/\(try EngineRequest.segment(network, "network"))\(rest)"
    }
}
