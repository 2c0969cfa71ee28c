import NIOCore
import NIOHTTP1

extension EngineClient {
    /// Maps to `GET /containers/json`.
    package func containers(labels: [String], all: Bool) async throws(EngineError) -> [ContainerSummary] {
        let query = [("all", all ? "1" : "0")] + (try EngineRequest.filters(["label": labels]))
        return try await value([ContainerSummary].self, request(.GET, "/containers/json", query))
    }

    /// Maps to `GET /containers/{id}/json`.
    package func container(_ reference: String) async throws(EngineError) -> ContainerDetails {
        try await value(ContainerDetails.self, request(.GET, try Self.path(reference, "/json")))
    }

    /// Maps to `POST /containers/create`.
    package func createContainer(
        name: String,
        _ container: ContainerCreate
    ) async throws(EngineError) -> CreatedContainer {
        // Without a name the engine invents one.
        guard !name.isEmpty else { throw .invalidArgument("a container needs a name") }
        return try await value(
            CreatedContainer.self,
            // The engine copies a folder of the image into the volume that covers it.
            patient(try request(.POST, "/containers/create", [("name", name)], json: container))
        )
    }

    /// Maps to `POST /containers/{id}/start`.
    package func start(_ container: String) async throws(EngineError) {
        try await call(request(.POST, try Self.path(container, "/start")))
    }

    /// Maps to `POST /containers/{id}/stop`.
    package func stop(_ container: String, timeout: Int?) async throws(EngineError) {
        try await end(container, "/stop", timeout)
    }

    /// Maps to `POST /containers/{id}/kill`.
    package func kill(_ container: String, signal: String) async throws(EngineError) {
        // Without a signal the engine sends SIGKILL.
        guard !signal.isEmpty else { throw .invalidArgument("a signal needs a name") }
        try await call(request(.POST, try Self.path(container, "/kill"), [("signal", signal)]))
    }

    /// Maps to `POST /containers/{id}/restart`.
    package func restart(_ container: String, timeout: Int?) async throws(EngineError) {
        try await end(container, "/restart", timeout)
    }

    /// Maps to `POST /containers/{id}/pause`.
    package func pause(_ container: String) async throws(EngineError) {
        try await call(request(.POST, try Self.path(container, "/pause")))
    }

    /// Maps to `POST /containers/{id}/unpause`.
    package func unpause(_ container: String) async throws(EngineError) {
        try await call(request(.POST, try Self.path(container, "/unpause")))
    }

    /// Maps to `POST /containers/{id}/rename`.
    package func rename(_ container: String, to name: String) async throws(EngineError) {
        try await call(request(.POST, try Self.path(container, "/rename"), [("name", name)]))
    }

    /// Maps to `POST /containers/{id}/update`.
    package func update(_ container: String, _ update: ContainerUpdate) async throws(EngineError) -> [String] {
        struct Answer: Decodable {
            var warnings: [String]?

            enum CodingKeys: String, CodingKey { case warnings = "Warnings" }
        }
        let request = try request(.POST, try Self.path(container, "/update"), json: update)
        return try await value(Answer.self, request).warnings ?? []
    }

    /// Maps to `DELETE /containers/{id}`.
    package func remove(_ container: String, force: Bool, volumes: Bool) async throws(EngineError) {
        let query = [("force", force ? "1" : "0"), ("v", volumes ? "1" : "0")]
        try await call(patient(request(.DELETE, try Self.path(container), query)))
    }

    /// Maps to `POST /containers/{id}/wait`.
    package func wait(_ container: String) async throws(EngineError) -> Int {
        struct Answer: Decodable {
            struct Failure: Decodable {
                var message: String?

                enum CodingKeys: String, CodingKey { case message = "Message" }
            }

            var status: Int
            var failure: Failure?

            enum CodingKeys: String, CodingKey {
                case status = "StatusCode"
                case failure = "Error"
            }
        }
        // The head comes at once and the body at the end, so use a separate connection.
        let request = request(.POST, try Self.path(container, "/wait"), [("condition", "not-running")])
        let body = try await stream(request).collect(upTo: Self.messageLimit)
        let answer = try EngineJSON.decode(Answer.self, from: body, path: request.path)
        if let message = answer.failure?.message, !message.isEmpty { throw .failed(message) }
        return answer.status
    }

    /// Maps to `GET /containers/{id}/logs`.
    package func logs(
        container: String,
        options: LogOptions
    ) async throws(EngineError) -> EngineStream<OutputFrame> {
        var query = [("stdout", "1"), ("stderr", "1"), ("follow", options.follow ? "1" : "0")]
        query.append(("timestamps", options.timestamps ? "1" : "0"))
        query.append(("tail", options.tail.map { String($0) } ?? "all"))
        if let since = options.since { query.append(("since", since.unixText)) }
        if let until = options.until { query.append(("until", until.unixText)) }
        var request = request(.GET, try Self.path(container, "/logs"), query)
        // A log can be silent for long.
        request.deadlines = options.follow ? .none : Deadlines(answer: callTimeout, idle: longTimeout)
        return try await stream(request).decoded(by: FrameDecoder(isFramed: !options.tty))
    }

    static func path(_ container: String, _ rest: String = "") throws(EngineError) -> String {
        "/containers/\(try EngineRequest.segment(container, "container"))\(rest)"
    }

    /// Sends a request that ends a process, and allows for its time; the time in the container's configuration is
    /// unknown.
    private func end(_ container: String, _ verb: String, _ timeout: Int?) async throws(EngineError) {
        let query = timeout.map { [("t", String($0))] } ?? []
        var request = request(.POST, try Self.path(container, verb), query)
        if let timeout, timeout >= 0 {
            request.deadlines.answer = callTimeout + .seconds(Int64(min(timeout, 86_400)))
        } else {
            request = patient(request)
        }
        try await call(request)
    }
}
