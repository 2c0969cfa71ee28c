import NIOHTTP1

extension EngineClient {
    /// Maps to `GET /exec/{id}/json`.
    package func exec(_ id: String) async throws(EngineError) -> ExecDetails {
        try await value(ExecDetails.self, request(.GET, try Self.execPath(id, "/json")))
    }

    /// Maps to `POST /containers/{id}/exec`, `POST /exec/{id}/start`, `GET /exec/{id}/json`.
    package func exec(
        container: String,
        _ exec: ExecCreate,
        limit: Int
    ) async throws(EngineError) -> ExecResult {
        let id = try await createExec(container: container, exec)
        // Not upgraded: then the answer's body is the output, and its end can't overtake the upgrade.
        let tty = exec.tty ?? false
        let output = try await stream(try Self.startRequest(self, id, tty: tty))
        var frames = output.decoded(by: FrameDecoder(isFramed: !tty)).makeAsyncIterator()
        var result = ExecResult()
        while let frame = try await frames.next() {
            let path = frame.channel == .errors ? \ExecResult.errors : \ExecResult.output
            let room = max(0, limit - result[keyPath: path].count)
            if frame.bytes.count > room { result.isTruncated = true }
            result[keyPath: path].append(contentsOf: frame.bytes.prefix(room))
        }
        result.exitCode = try await exitCode(id)
        return result
    }

    /// Maps to `POST /containers/{id}/exec`.
    package func createExec(container: String, _ exec: ExecCreate) async throws(EngineError) -> String {
        struct Answer: Decodable {
            var id: String

            enum CodingKeys: String, CodingKey { case id = "Id" }
        }
        return try await value(Answer.self, try request(.POST, try Self.path(container, "/exec"), json: exec)).id
    }

    /// Maps to `POST /exec/{id}/start`; afterwards the connection carries the command's input and output.
    package func startExec(_ id: String, tty: Bool) async throws(EngineError) -> ExecStream {
        let made = try await hijack(try Self.startRequest(self, id, tty: tty))
        return ExecStream(
            output: made.output.decoded(by: FrameDecoder(isFramed: !tty)),
            connection: made.connection
        )
    }

    /// The exit code of a command whose output has ended; the engine knows it a moment later.
    private func exitCode(_ id: String) async throws(EngineError) -> Int {
        var pause = Duration.milliseconds(1)
        while true {
            let details = try await exec(id)
            if !details.isRunning, let exitCode = details.exitCode { return exitCode }
            do {
                try await Task.sleep(for: pause)
            } catch {
                throw EngineError.cancelled
            }
            pause = min(pause * 2, .milliseconds(200))
        }
    }

    private static func startRequest(
        _ client: EngineClient,
        _ id: String,
        tty: Bool
    ) throws(EngineError) -> EngineRequest {
        struct Start: Encodable {
            var detach = false
            var tty: Bool

            enum CodingKeys: String, CodingKey {
                case detach = "Detach"
                case tty = "Tty"
            }
        }
        return try client.request(.POST, try execPath(id, "/start"), json: Start(tty: tty))
    }

    private static func execPath(_ id: String, _ rest: String) throws(EngineError) -> String {
        "/exec/\(try EngineRequest.segment(id, "exec"))\(rest)"
    }
}
