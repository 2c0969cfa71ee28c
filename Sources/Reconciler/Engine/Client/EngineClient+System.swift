import NIOCore
import NIOHTTP1
import ReconcilerTime

extension EngineClient {
    /// Maps to `GET /_ping`.
    package func ping() async throws(EngineError) -> EnginePing {
        try await ping(within: callTimeout)
    }

    /// A ping with a time limit, because a socket can accept and never answer.
    func ping(within time: TimeAmount) async throws(EngineError) -> EnginePing {
        let request = EngineRequest(method: .GET, path: "/_ping", deadlines: Deadlines(answer: time))
        let head = try await call(request).head
        return EnginePing(
            apiVersion: head.headers.first(name: "Api-Version") ?? "",
            osType: head.headers.first(name: "Ostype") ?? "",
            server: head.headers.first(name: "Server") ?? ""
        )
    }

    /// Maps to `GET /version`.
    package func version() async throws(EngineError) -> EngineVersion {
        try await value(EngineVersion.self, request(.GET, "/version"))
    }

    /// Maps to `GET /info`.
    package func info() async throws(EngineError) -> EngineInfo {
        try await value(EngineInfo.self, request(.GET, "/info"))
    }

    /// Maps to `GET /events`.
    package func events(_ query: EventQuery) async throws(EngineError) -> EngineStream<EngineEvent> {
        var pairs: [(String, String)] = []
        if let since = query.since { pairs.append(("since", since.unixText)) }
        if let until = query.until { pairs.append(("until", until.unixText)) }
        pairs += try EngineRequest.filters(query.filters)
        var request = request(.GET, "/events", pairs)
        // Events can be rare.
        request.deadlines = .none
        return try await stream(request).decoded(by: JSONLines<EngineEvent>(path: request.path))
    }
}

extension Timestamp {
    /// The form of times in the engine's queries: seconds, a dot, nine digits.
    var unixText: String {
        let fraction = String(nanoseconds)
        return "\(seconds).\(String(repeating: "0", count: 9 - fraction.count))\(fraction)"
    }
}
