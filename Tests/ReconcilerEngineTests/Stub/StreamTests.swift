import ReconcilerEngine
import Testing

@Suite("Streams")
struct StreamTests {
    @Test("events arrive one by one as the engine writes them, however the bytes are cut", arguments: [1, 7, 1000])
    func eventsArrive(cut: Int) async throws {
        let read = Counter()
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            while let request = try await connection.request() {
                guard !request.isPing else {
                    try await connection.write(StubServer.pong())
                    continue
                }
                try await connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for number in 1...3 {
                    let line = Array(#"{"Type":"network","Action":"a\#(number)","Actor":{"ID":"n"}}"#.utf8) + [0x0A]
                    for start in stride(from: 0, to: line.count, by: cut) {
                        let part = line[start..<min(start + cut, line.count)]
                        try await connection.write("\(String(part.count, radix: 16))\r\n")
                        try await connection.write(Array(part) + Array("\r\n".utf8))
                    }
                    // The next one only after the last was read: nothing waits for the end of the stream.
                    guard await eventually({ read.value == number }) else { return }
                }
                try await connection.write("0\r\n\r\n")
            }
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            var actions: [String] = []
            for try await event in try await engine.events(EventQuery()) {
                actions.append(event.action)
                read.add()
            }
            #expect(actions == ["a1", "a2", "a3"])
        }
    }

    static func frame(_ channel: UInt8, _ text: String) -> [UInt8] {
        let count = text.utf8.count
        return [
            channel, 0, 0, 0, UInt8(count >> 24), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255),
        ]
            + Array(text.utf8)
    }

    /// A script that streams `bytes` in pieces of `cut` and hangs up.
    static func streaming(_ bytes: [UInt8], cut: Int) -> @Sendable (StubConnection) async throws -> Void {
        { connection in
            while let request = try await connection.request() {
                guard !request.isPing else {
                    try await connection.write(StubServer.pong())
                    continue
                }
                try await connection.write("HTTP/1.1 200 OK\r\n\r\n")
                for start in stride(from: 0, to: bytes.count, by: cut) {
                    try await connection.write(Array(bytes[start..<min(start + cut, bytes.count)]))
                }
                return
            }
        }
    }

    static func logs(_ server: StubServer) async throws -> [OutputFrame.Channel: String] {
        let engine = try await EngineClient.connect(to: server.address)
        var text: [OutputFrame.Channel: String] = [:]
        for try await frame in try await engine.logs(container: "x", options: LogOptions()) {
            text[frame.channel, default: ""] += String(decoding: frame.bytes, as: UTF8.self)
        }
        return text
    }

    @Test("outputs come apart however the bytes are cut", arguments: [1, 3, 8, 9, 4096])
    func frames(cut: Int) async throws {
        let long = String(repeating: "x", count: 3000)
        let bytes = Self.frame(1, "one\n") + Self.frame(2, "bad\n") + Self.frame(1, "") + Self.frame(1, long)
        try await StubServer.run(script: Self.streaming(bytes, cut: cut)) { server in
            let text = try await Self.logs(server)
            #expect(text == [.output: "one\n" + long, .errors: "bad\n"])
        }
    }

    @Test(
        "output that is cut off or not framed is an error",
        arguments: [
            Array(frame(1, "one").dropLast()), Array(frame(1, "one").prefix(5)), frame(9, "one"),
            Array("plain text".utf8),
        ]
    )
    func brokenFrames(bytes: [UInt8]) async throws {
        try await StubServer.run(script: Self.streaming(bytes, cut: 100)) { server in
            _ = try #require(await failure { _ = try await Self.logs(server) })
        }
    }

    @Test("a stream that breaks off gives what came and then an error")
    func brokenStream() async throws {
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            while let request = try await connection.request() {
                guard !request.isPing else {
                    try await connection.write(StubServer.pong())
                    continue
                }
                try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
                return
            }
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            var bytes: [UInt8] = []
            let error = await failure {
                for try await chunk in try await engine.archive(container: "x", path: "/") { bytes += chunk }
            }
            #expect(bytes == Array("abc".utf8))
            #expect(error == .transport("the engine closed the connection in the middle of its answer"))
        }
    }

    @Test("a reader that lags holds the engine back, and then gets everything")
    func downloadPressure() async throws {
        let size = 64 << 20
        let written = Counter()
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            while let request = try await connection.request() {
                guard !request.isPing else {
                    try await connection.write(StubServer.pong())
                    continue
                }
                try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                let block = [UInt8](repeating: 1, count: 1 << 18)
                for _ in 0..<(size / block.count) {
                    try await connection.write(block)
                    written.add(block.count)
                }
            }
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            var chunks = try await engine.archive(container: "x", path: "/").makeAsyncIterator()
            var count = try await chunks.next()?.count ?? 0
            try await Task.sleep(for: .milliseconds(200))
            #expect(written.value < 8 << 20)
            while let chunk = try await chunks.next() { count += chunk.count }
            #expect(count == size)
        }
    }

    @Test("a stream that is dropped unread, or half read, closes its connection", arguments: [false, true])
    func dropped(read: Bool) async throws {
        let bytes = [UInt8](repeating: 7, count: 16 << 20)
        try await StubServer.run(script: Self.streaming(bytes, cut: 1 << 16)) { server in
            let engine = try await EngineClient.connect(to: server.address)
            let stream = try await engine.archive(container: "x", path: "/")
            if read {
                for try await _ in stream { break }
            }
            _ = consume stream
            #expect(await eventually { server.closed == 1 })
        }
    }

    /// A body of blocks of 64 KiB that counts what was taken of it.
    static func body(blocks: Int, taken: Counter) -> EngineBody {
        .stream(
            EngineStream {
                var left = blocks
                return { () async throws(EngineError) -> [UInt8]? in
                    guard left > 0 else { return nil }
                    left -= 1
                    taken.add()
                    return [UInt8](repeating: UInt8(left & 255), count: 1 << 16)
                }
            }
        )
    }

    @Test("an upload is read no faster than the engine takes it, and arrives whole")
    func uploadPressure() async throws {
        let taken = Counter()
        let received = Counter()
        let goesOn = Counter()
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            guard let head = try await connection.head() else { return }
            if head.hasPrefix("GET /_ping") { return try await connection.write(StubServer.pong()) }
            _ = await eventually { goesOn.value == 1 }
            var tail: [UInt8] = []
            while tail != Array("\r\n0\r\n\r\n".utf8), let bytes = try await connection.bytes() {
                received.add(bytes.count)
                tail = Array((tail + bytes).suffix(7))
            }
            try await connection.write(StubServer.answer(200))
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            let body = Self.body(blocks: 500, taken: taken)
            async let put: Void = engine.putArchive(container: "x", path: "/", body)
            #expect(await eventually { taken.value > 0 })
            try await Task.sleep(for: .milliseconds(200))
            #expect(taken.value < 50)
            goesOn.add()
            try await put
            #expect(taken.value == 500)
            #expect(received.value > 500 << 16)
        }
    }

    @Test(
        "an engine that refuses in the middle of an upload is heard, and the rest is not sent",
        arguments: [true, false]
    )
    func uploadRefused(hangsUp: Bool) async throws {
        let taken = Counter()
        let isOver = Counter()
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            guard let head = try await connection.head() else { return }
            if head.hasPrefix("GET /_ping") { return try await connection.write(StubServer.pong()) }
            try await connection.write(StubServer.answer(400, #"{"message":"no such folder"}"#))
            if !hangsUp { _ = await eventually { isOver.value == 1 } }
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            let body = Self.body(blocks: 5000, taken: taken)
            let error = await failure { try await engine.putArchive(container: "x", path: "/", body) }
            isOver.add()
            #expect(error?.status == 400)
            #expect(error?.description.hasPrefix("no such folder") == true)
            #expect(taken.value < 500)
        }
    }

    @Test("cancelling an upload that does not move ends it")
    func uploadCancelled() async throws {
        let taken = Counter()
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            guard let head = try await connection.head() else { return }
            if head.hasPrefix("GET /_ping") { return try await connection.write(StubServer.pong()) }
            try await Task.sleep(for: .seconds(30))
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            let body = Self.body(blocks: 500, taken: taken)
            let put = Task { try await engine.putArchive(container: "x", path: "/", body) }
            #expect(await eventually { taken.value > 0 })
            put.cancel()
            let result = await put.result
            #expect(throws: EngineError.cancelled) { try result.get() }
        }
    }

    @Test("a command's output is read to the connection's end, also what came together with the head")
    func hijack() async throws {
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            while let request = try await connection.request() {
                if request.isPing {
                    try await connection.write(StubServer.pong())
                } else if request.line.contains("/exec/e1/start") {
                    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
                    try await connection.write(Array(head.utf8) + Self.frame(1, "early "))
                    try await connection.write(Self.frame(2, "oops") + Self.frame(1, "late"))
                    return
                } else if request.line.hasPrefix("GET") {
                    try await connection.write(StubServer.answer(200, #"{"ID":"e1","Running":false,"ExitCode":4}"#))
                } else {
                    try await connection.write(StubServer.answer(201, #"{"Id":"e1"}"#))
                }
            }
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            let result = try await engine.exec(container: "x", ExecCreate(command: ["true"]))
            #expect(result == ExecResult(output: Array("early late".utf8), errors: Array("oops".utf8), exitCode: 4))
        }
    }

    @Test("a refusal to start a command is told in the engine's words")
    func hijackRefused() async throws {
        let script = StubServer.answering { request in
            request.line.contains("/start")
                ? StubServer.answer(409, #"{"message":"container is paused"}"#)
                : StubServer.answer(201, #"{"Id":"e1"}"#)
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            let error = await failure { _ = try await engine.exec(container: "x", ExecCreate(command: ["true"])) }
            #expect(error?.isConflict == true)
            #expect(error?.description.hasPrefix("container is paused") == true)
        }
    }

    @Test("a refusal without end is cut")
    func endlessRefusal() async throws {
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            while let request = try await connection.request() {
                guard !request.isPing else {
                    try await connection.write(StubServer.pong())
                    continue
                }
                try await connection.write("HTTP/1.1 500 No\r\n\r\n")
                while true { try await connection.write([UInt8](repeating: 0x61, count: 1 << 16)) }
            }
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            guard case .http(let refusal) = await failure(of: { _ = try await engine.events(EventQuery()) }) else {
                Issue.record("not a refusal")
                return
            }
            #expect(refusal.status == 500)
            #expect(refusal.message.utf8.count == 64 << 10)
            #expect(await eventually { server.closed == 1 })
        }
    }
}
