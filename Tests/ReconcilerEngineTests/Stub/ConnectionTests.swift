import ReconcilerEngine
import Testing

@Suite("Connections")
struct ConnectionTests {
    @Test("calls one after another share a connection, over both kinds of socket", arguments: [false, true])
    func reuse(tcp: Bool) async throws {
        let script = StubServer.answering { _ in StubServer.answer(200, "[]") }
        try await StubServer.run(tcp: tcp, script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            for _ in 0..<20 { _ = try await engine.networks() }
            #expect(server.opened == 1)
            engine.close()
            #expect(await eventually { server.closed == 1 })
        }
    }

    @Test("a client that goes away closes its connections")
    func release() async throws {
        let script = StubServer.answering { _ in StubServer.answer(200, "[]") }
        try await StubServer.run(script: script) { server in
            do {
                let engine = try await EngineClient.connect(to: server.address)
                _ = try await engine.networks()
            }
            #expect(await eventually { server.closed == 1 })
        }
    }

    @Test("many calls run side by side and few connections are kept")
    func concurrent() async throws {
        let script = StubServer.answering { request in
            let id = request.line.split(separator: "/")[3]
            return StubServer.answer(200, #"{"ID":"\#(id)"}"#)
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask { try await engine.exec("e\(number)").id == "e\(number)" }
                }
                for try await isRight in group { #expect(isRight) }
            }
            #expect(await eventually { server.opened - server.closed <= 4 })
        }
    }

    @Test("an answer that says close is not followed on the same connection")
    func connectionClose() async throws {
        let script = StubServer.answering { _ in StubServer.answer(200, "[]", "Connection: close\r\n") }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            _ = try await engine.networks()
            _ = try await engine.networks()
            #expect(server.opened == 2)
        }
    }

    @Test("a kept connection that the engine closed is replaced, also for a request that changes something")
    func staleNoticed() async throws {
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            guard let request = try await connection.request() else { return }
            try await connection.write(request.isPing ? StubServer.pong() : StubServer.answer(204))
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            for count in 1...2 {
                #expect(await eventually { server.closed == count })
                // The client's end learns of it a moment later, on a busy machine a long one.
                try await Task.sleep(for: .seconds(2))
                try await engine.kill("x", signal: "SIGHUP")
            }
            #expect(server.opened == 3)
        }
    }

    @Test(
        "a connection that dies under a request is retried once when the request only asks, never when it changes",
        arguments: [true, false]
    )
    func staleUnnoticed(asks: Bool) async throws {
        let requests = Counter()
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            while let request = try await connection.request() {
                if request.isPing {
                    try await connection.write(StubServer.pong())
                    continue
                }
                requests.add()
                // The first connection takes the request and says nothing.
                if connection.number == 1 { return }
                try await connection.write(StubServer.answer(200, "[]"))
            }
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            if asks {
                #expect(try await engine.networks().isEmpty)
                #expect(requests.value == 2)
            } else {
                let error = await failure { try await engine.start("x") }
                #expect(error == .transport("the engine closed the connection before its answer"))
                #expect(requests.value == 1)
            }
        }
    }

    @Test("a fresh connection that dies is not tried again")
    func noEndlessRetry() async throws {
        let requests = Counter()
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            while let request = try await connection.request() {
                guard request.isPing else { return requests.add() }
                try await connection.write(StubServer.pong())
            }
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            _ = await failure { _ = try await engine.networks() }
            #expect(requests.value == 2)
        }
    }

    @Test(
        "an answer that breaks off, or is not HTTP, is an error and not asked for again",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[]",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[]",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n[]",
            "HTTP/1.1 200 OK\r\nConte",
            "HTTP/1.1 2",
            "hello world\r\n\r\n",
            "\u{0}\u{1}\u{2}",
        ]
    )
    func brokenAnswer(_ answer: String) async throws {
        let requests = Counter()
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            while let request = try await connection.request() {
                guard request.isPing else {
                    requests.add()
                    try await connection.write(answer)
                    return
                }
                try await connection.write(StubServer.pong())
            }
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            let error = await failure { _ = try await engine.networks() }
            guard case .transport = error else {
                Issue.record("not a transport error: \(String(describing: error))")
                return
            }
            #expect(requests.value == 1)
        }
    }

    @Test("unrequested bytes end a kept connection and answer nothing")
    func unsolicited() async throws {
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            while let request = try await connection.request() {
                let poison = StubServer.answer(200, #"[{"Id":"evil","Name":"evil"}]"#)
                try await connection.write((request.isPing ? StubServer.pong() : StubServer.answer(200, "[]")) + poison)
            }
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            for _ in 0..<3 { #expect(try await engine.networks().isEmpty) }
            #expect(server.opened == 4)
        }
    }

    @Test("cancelling a call closes its connection at once and leaves the client usable")
    func cancellation() async throws {
        let asked = Counter()
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            while let request = try await connection.request() {
                if request.line.contains("/info") {
                    asked.add()
                    _ = try await connection.bytes()
                    return
                }
                try await connection.write(request.isPing ? StubServer.pong() : StubServer.answer(200, "[]"))
            }
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            let call = Task { try await engine.info() }
            #expect(await eventually { asked.value == 1 })
            call.cancel()
            let result = await call.result
            #expect(throws: EngineError.cancelled) { try result.get() }
            #expect(await eventually { server.closed == 1 })
            #expect(asked.value == 1)
            #expect(try await engine.networks().isEmpty)
        }
    }

    @Test("a task that is already cancelled sends nothing")
    func cancelledBefore() async throws {
        let seen = Recorder()
        let script = StubServer.answering { request in
            seen.add(request.line)
            return StubServer.answer(204)
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            let call = Task {
                while !Task.isCancelled { await Task.yield() }
                try await engine.start("x")
            }
            call.cancel()
            let result = await call.result
            #expect(throws: EngineError.cancelled) { try result.get() }
            #expect(seen.all.isEmpty)
        }
    }

    @Test("an engine that takes the connection and says nothing is given up after the timeout")
    func silentEngine() async throws {
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            while try await connection.bytes() != nil {}
        }
        try await StubServer.run(script: script) { server in
            let error = await failure {
                _ = try await EngineClient.connect(to: server.address, timeout: .milliseconds(200))
            }
            #expect(error == .transport("no answer within 200 ms to GET /_ping"))
        }
    }

    @Test("where no engine is, the error names the address and the reason")
    func nothingThere() async throws {
        let missing = await failure {
            _ = try await EngineClient.connect(to: .unix("/tmp/engtest-nothing.sock"))
        }
        #expect(
            missing == .transport("can't connect to unix:///tmp/engtest-nothing.sock: there is no such socket")
        )
        let refused = await failure { _ = try await EngineClient.connect(to: .tcp(host: "127.0.0.1", port: 1)) }
        #expect(refused == .transport("can't connect to tcp://127.0.0.1:1: nothing listens there"))
    }

    @Test("an answer without end is given up at the limit")
    func endlessAnswer() async throws {
        let script: @Sendable (StubConnection) async throws -> Void = { connection in
            while let request = try await connection.request() {
                guard !request.isPing else {
                    try await connection.write(StubServer.pong())
                    continue
                }
                try await connection.write("HTTP/1.1 200 OK\r\n\r\n")
                let block = [UInt8](repeating: 0x20, count: 1 << 20)
                while true { try await connection.write(block) }
            }
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            guard case .limitExceeded = await failure(of: { _ = try await engine.networks() }) else {
                Issue.record("no limit")
                return
            }
            #expect(await eventually { server.closed == 1 })
        }
    }
}
