import NIOHTTP1

extension EngineClient {
    /// Maps to `GET /volumes`.
    package func volumes(labels: [String]) async throws(EngineError) -> [VolumeSummary] {
        struct Answer: Decodable {
            var volumes: [VolumeSummary]?

            enum CodingKeys: String, CodingKey { case volumes = "Volumes" }
        }
        let query = try EngineRequest.filters(["label": labels])
        return try await value(Answer.self, request(.GET, "/volumes", query)).volumes ?? []
    }

    /// Maps to `GET /volumes/{name}`.
    package func volume(_ name: String) async throws(EngineError) -> VolumeSummary {
        try await value(VolumeSummary.self, request(.GET, try Self.volumePath(name)))
    }

    /// Maps to `POST /volumes/create`.
    package func createVolume(
        name: String,
        labels: [String: String]
    ) async throws(EngineError) -> VolumeSummary {
        struct Create: Encodable {
            var name: String
            var labels: [String: String]

            enum CodingKeys: String, CodingKey {
                case name = "Name"
                case labels = "Labels"
            }
        }
        // Without a name the engine invents one.
        guard !name.isEmpty else { throw .invalidArgument("a volume needs a name") }
        let body = Create(name: name, labels: labels)
        return try await value(VolumeSummary.self, try request(.POST, "/volumes/create", json: body))
    }

    /// Maps to `DELETE /volumes/{name}`.
    package func removeVolume(_ name: String) async throws(EngineError) {
        try await call(patient(request(.DELETE, try Self.volumePath(name))))
    }

    private static func volumePath(_ name: String) throws(EngineError) -> String {
        "/volumes/\(try EngineRequest.segment(name, "volume"))"
    }
}
