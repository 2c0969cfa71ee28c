import ReconcilerEngine
import Testing

@Suite("Deadlines", .timeLimit(.minutes(2)))
struct DeadlineTests {
    static let soon = Duration.milliseconds(50)
    /// Time enough for the stub on a busy machine.
    static let later = Duration.seconds(2)
    static let never = Duration.seconds(3600)

    /// A script that answers pings, tells `seen` of every other request, begins an answer with `start`, and then says
    /// nothing until the client is gone.
    static func falling(
        silentAfter start: String = "",
        _ seen: Recorder = Recorder()
    ) -> @Sendable (StubConnection) async throws -> Void {
        { connection in
            while let request = try await connection.request() {
                guard !request.isPing || seen.all.contains("pinged") else {
                    seen.add("pinged")
                    try await connection.write(StubServer.pong())
                    continue
                }
                seen.add(String(request.line.dropLast(9)))
                try await connection.write(start)
                while try await connection.bytes() != nil {}
            }
        }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let request: String
        let call: @Sendable (EngineClient) async throws -> Void

        init(_ request: String, _ call: @escaping @Sendable (EngineClient) async throws -> Void) {
            self.request = request
            self.call = call
        }

        var testDescription: String { request }
    }

    static let short = [
        Row("GET /_ping") { _ = try await $0.ping() },
        Row("GET /v1.41/version") { _ = try await $0.version() },
        Row("GET /v1.41/info") { _ = try await $0.info() },
        Row("GET /v1.41/containers/json") { _ = try await $0.containers(labels: [], all: true) },
        Row("GET /v1.41/networks") { _ = try await $0.networks() },
        Row("GET /v1.41/volumes") { _ = try await $0.volumes(labels: []) },
        Row("GET /v1.41/images/i/json") { _ = try await $0.image("i") },
        Row("HEAD /v1.41/containers/x/archive") { _ = try await $0.stat(container: "x", path: "/f") },
        Row("GET /v1.41/containers/x/archive") { _ = try await $0.archive(container: "x", path: "/f") },
        Row("PUT /v1.41/containers/x/archive") { try await $0.putArchive(container: "x", path: "/f", .bytes([1])) },
        Row("GET /v1.41/containers/x/logs") { _ = try await $0.logs(container: "x", options: LogOptions()) },
        Row("POST /v1.41/containers/x/start") { try await $0.start("x") },
        Row("POST /v1.41/containers/x/stop") { try await $0.stop("x", timeout: 0) },
        Row("POST /v1.41/containers/x/wait") { _ = try await $0.wait("x") },
        Row("POST /v1.41/containers/x/exec") { _ = try await $0.exec(container: "x", ExecCreate(command: ["a"])) },
        Row("POST /v1.41/exec/e/start") { _ = try await $0.startExec("e", tty: false) },
    ]

    static let build = Row("POST /v1.41/build") {
        _ = try await $0.buildImage(context: .bytes([1]), options: BuildOptions(tags: ["t"]))
    }

    static let long = [
        Row("POST /v1.41/containers/create") {
            _ = try await $0.createContainer(name: "n", ContainerCreate(config: ContainerConfig(image: "i")))
        },
        Row("POST /v1.41/containers/x/stop") { try await $0.stop("x") },
        Row("DELETE /v1.41/containers/x") { try await $0.remove("x", force: true, volumes: false) },
        Row("POST /v1.41/images/create") { try await $0.pullImage("i") },
        build,
    ]

    /// Expects `row` to fail with `problem`, after one request whose connection is then closed.
    private func expect(
        _ row: Row,
        _ problem: String,
        start: String = "",
        callTimeout: Duration = never,
        longTimeout: Duration = never
    ) async throws {
        let seen = Recorder()
        try await StubServer.run(script: Self.falling(silentAfter: start, seen)) { server in
            let engine = try await EngineClient.connect(
                to: server.address,
                callTimeout: callTimeout,
                longTimeout: longTimeout
            )
            let error = await failure { try await row.call(engine) }
            #expect(error == .transport("\(problem) within \(start.isEmpty ? "50 ms" : "2 s") to \(row.request)"))
            #expect(await eventually { seen.all.count > 1 })
            engine.close()
            #expect(await eventually { server.closed == server.opened })
            #expect(seen.all.dropFirst().map { $0.prefix { $0 != "?" } } == [row.request[...]])
        }
    }

    @Test("an engine that died after the ping fails each call with its name, once", arguments: short)
    func deadEngine(_ row: Row) async throws {
        try await expect(row, "no answer", callTimeout: Self.soon)
    }

    @Test("what may take an engine long has a bound of its own", arguments: long)
    func slowCalls(_ row: Row) async throws {
        try await expect(row, "no answer", longTimeout: Self.soon)
    }

    @Test("an answer that stops in the middle of a body taken whole is overdue too")
    func halfAnswer() async throws {
        let row = Row("GET /v1.41/networks") { _ = try await $0.networks() }
        let start = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[\n"
        try await expect(row, "no answer", start: start, callTimeout: Self.later)
    }

    @Test("a build or a pull that falls silent is given up", arguments: long.suffix(2))
    func silentProgress(_ row: Row) async throws {
        let start = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"status\":\"begun\"}\n"
        try await expect(row, "no more of the answer", start: start, longTimeout: Self.later)
    }

    @Test("a refusal that stops in the middle is given up, also of a stream that may be silent for long")
    func halfRefusal() async throws {
        let start = "HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\n{"
        try await expect(Self.build, "no more of the answer", start: start, longTimeout: Self.later)
    }

    @Test("events and followed logs may be silent, before the answer and in it", arguments: [true, false])
    func silentStreams(isBegun: Bool) async throws {
        let goesOn = Counter()
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            while let request = try await connection.request() {
                guard !request.isPing else {
                    try await connection.write(StubServer.pong())
                    continue
                }
                let head = "HTTP/1.1 200 OK\r\n\r\n"
                if isBegun { try await connection.write(head) }
                // Many bounds pass.
                try await Task.sleep(for: Self.soon * 10)
                if !isBegun { try await connection.write(head) }
                goesOn.add()
                return
            }
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(
                to: server.address,
                callTimeout: Self.soon,
                longTimeout: Self.soon
            )
            for try await _ in try await engine.events(EventQuery()) {}
            for try await _ in try await engine.logs(container: "x", options: LogOptions(follow: true)) {}
            #expect(goesOn.value == 2)
        }
    }

    @Test("a reader that lags is not the engine's silence")
    func lag() async throws {
        let size = 16 << 20
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            while let request = try await connection.request() {
                guard !request.isPing else {
                    try await connection.write(StubServer.pong())
                    continue
                }
                try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                try await connection.write([UInt8](repeating: 1, count: size))
            }
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address, longTimeout: Self.later)
            var chunks = try await engine.archive(container: "x", path: "/").makeAsyncIterator()
            var count = try await chunks.next()?.count ?? 0
            try await Task.sleep(for: Self.later * 2)
            while let chunk = try await chunks.next() { count += chunk.count }
            #expect(count == size)
        }
    }

    @Test("the time to end a process comes on top of the engine's own")
    func endingTakesTime() async throws {
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            while let request = try await connection.request() {
                if !request.isPing { try await Task.sleep(for: Self.soon * 10) }
                try await connection.write(request.isPing ? StubServer.pong() : StubServer.answer(204))
            }
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address, callTimeout: Self.soon)
            try await engine.stop("x", timeout: 600)
            try await engine.restart("x", timeout: 600)
        }
    }

    @Test("an upload may take longer than the bound, as long as the engine takes it")
    func slowUpload() async throws {
        let taken = Counter()
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            guard let head = try await connection.head() else { return }
            if head.hasPrefix("GET /_ping") { return try await connection.write(StubServer.pong()) }
            var tail: [UInt8] = []
            while tail != Array("\r\n0\r\n\r\n".utf8), let bytes = try await connection.bytes() {
                tail = Array((tail + bytes).suffix(7))
            }
            try await connection.write(StubServer.answer(200))
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address, callTimeout: Self.later)
            let body = EngineBody.stream(
                EngineStream {
                    var left = 8
                    return { () async throws(EngineError) -> [UInt8]? in
                        guard left > 0 else { return nil }
                        left -= 1
                        taken.add()
                        try? await Task.sleep(for: Self.later / 4)
                        return [1]
                    }
                }
            )
            try await engine.putArchive(container: "x", path: "/", body)
            #expect(taken.value == 8)
        }
    }
}
