import ReconcilerVerify
import Testing

@Suite(.serialized) struct AttemptDriverTests {
    /// What comes of steps against a server with a habit.
    ///
    /// - Parameter patience: milliseconds after which it is a hang.
    private func observe(
        _ habit: StubPeer.Habit,
        _ steps: [AttemptStep],
        patience: Int = 10_000
    ) async throws -> Observation {
        var observation = Observation(name: "")
        try await StubPeer.run(habit) { endpoint in
            var limits = AttemptDriver.Limits()
            limits.receive = patience
            limits.silence = 200
            observation = await AttemptDriver(proxy: endpoint, limits: limits)
                .perform(Attempt(name: "a", steps: steps))
        }
        #expect(observation.problem == nil)
        #expect(observation.began <= observation.ended)
        return observation
    }

    private static let ask: [AttemptStep] = [.connect("proxy"), .send(.text("GET / HTTP/1.1\r\n\r\n", times: 1))]

    @Test(
        "An answer is read to its end, however that is told",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
            (
                "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\na: b\r\n\r\n",
                403, "hello"
            ),
            ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx", 201, "x"),
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nraw", 101, ""),
        ]
    )
    func answer(_ text: String, _ status: Int, _ body: String) async throws {
        let seen = try await observe(.answers([text]), Self.ask + [.receive(.answer)])
        #expect(seen.outcome == .status(status))
        #expect(seen.answers.map(\.body) == [body])
        #expect(seen.answers.map(\.isWhole) == [true])
        #expect(seen.endings == [.open])
        #expect(!seen.isHung)
        #expect(seen.received == text)
    }

    @Test("An answer without a length ends with its connection; one that is cut is no whole one")
    func answerToTheClose() async throws {
        let whole = try await observe(.answersAndCloses("HTTP/1.0 400 Bad\r\n\r\nno"), Self.ask + [.receive(.answer)])
        #expect(whole.answers.map(\.body) == ["no"])
        #expect(whole.answers.map(\.isWhole) == [true])
        let text = "HTTP/1.1 400 Bad\r\nContent-Length: 9\r\n\r\nno"
        let cut = try await observe(.answersAndCloses(text), Self.ask + [.receive(.answer)])
        #expect(cut.outcome == .status(400))
        #expect(cut.answers.map(\.isWhole) == [false])
    }

    @Test("Two answers on one connection are two answers")
    func pipelined() async throws {
        let one = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
        let two = "HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\nb"
        let seen = try await observe(.answers([one + two]), Self.ask + [.receive(.answer), .receive(.answer)])
        #expect(seen.answers.map(\.status) == [200, 403])
        #expect(seen.outcome == .status(403))
    }

    @Test("The answer to HEAD has no body")
    func head() async throws {
        let steps: [AttemptStep] = [
            .connect("proxy"), .send(.text("HEAD / HTTP/1.1\r\n\r\n", times: 1)), .receive(.answer),
        ]
        let seen = try await observe(.answers(["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"]), steps)
        #expect(seen.outcome == .status(200))
        #expect(!seen.isHung)
    }

    @Test("A connection that ends without an answer is closed, and what would be sent on it is not")
    func closed() async throws {
        let seen = try await observe(.closes, [.connect("proxy"), .receive(.close)] + Self.ask.dropFirst())
        #expect(seen.outcome == .closed)
        #expect(seen.endings == [.closed])
        #expect(!seen.isHung)
    }

    @Test("A reset is told from a farewell")
    func reset() async throws {
        let seen = try await observe(.resets, Self.ask + [.receive(.close)])
        #expect(seen.outcome == .closed)
        #expect(seen.endings == [.reset])
    }

    @Test("What was answered before the close is what came of it")
    func answeredAndClosed() async throws {
        let text = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"
        let seen = try await observe(.answersAndCloses(text), Self.ask + [.receive(.close)])
        #expect(seen.outcome == .status(403))
        let bytes = try await observe(.answersAndCloses("SSH-2.0-x\r\n"), Self.ask + [.receive(.close)])
        #expect(bytes.outcome == .closed)
        #expect(bytes.received == "SSH-2.0-x\r\n")
    }

    @Test(
        "Waiting in vain is a hang",
        arguments: [AttemptStep.receive(.answer), .receive(.close), .tls(TLSOffer(sni: "a"))]
    )
    func hang(_ step: AttemptStep) async throws {
        let seen = try await observe(.hangs, Self.ask + [step], patience: 300)
        #expect(seen.isHung)
        #expect(seen.outcome == .silence)
        #expect(seen.longestWait >= 300)
    }

    @Test("Half an answer is a hang too")
    func half() async throws {
        let seen = try await observe(
            .answers(["HTTP/1.1 200 OK\r\nContent-"]),
            Self.ask + [.receive(.answer)],
            patience: 300
        )
        #expect(seen.isHung)
        #expect(seen.outcome == .bytes)
    }

    @Test("Silence where it is due is no hang; what comes in its place is told")
    func silence() async throws {
        let silent = try await observe(.hangs, Self.ask + [.receive(.silence)])
        #expect(silent.outcome == .silence)
        #expect(!silent.isHung)
        let spoken = try await observe(.answers(["hello"]), Self.ask + [.receive(.silence)])
        #expect(spoken.outcome == .bytes)
        let closed = try await observe(.closes, [.connect("proxy"), .receive(.silence)])
        #expect(closed.outcome == .closed)
    }

    @Test("A port without a listener is a refusal, and the rest is skipped")
    func refused() async throws {
        // A port that was free a moment ago can be taken by now; this one stays free.
        let driver = AttemptDriver(proxy: HostPort(host: "127.0.0.1", port: 1))
        let seen = await driver.perform(Attempt(name: "a", steps: Self.ask + [.receive(.answer)]))
        #expect(seen.outcome == .closed)
        #expect(seen.endings == [.refused])
        #expect(seen.answers == [])
    }

    @Test("TLS is spoken with any name or none", arguments: ["a.test", "A.Test", nil])
    func tls(_ name: String?) async throws {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        let offer = TLSOffer(sni: name, alpn: ["h2", "http/1.1"])
        let steps = [.connect("proxy"), .tls(offer)] + Self.ask.dropFirst() + [.receive(.answer)]
        let seen = try await observe(.securely(answer), steps)
        #expect(seen.outcome == .status(200))
        #expect(seen.trace.contains { $0.contains("http/1.1") })
        #expect(seen.received == answer)
    }

    @Test("A handshake that the other side refuses is closed")
    func refusedTLS() async throws {
        let old = try await observe(.securely(""), [.connect("proxy"), .tls(TLSOffer(sni: "a", max: .tls10))])
        #expect(old.outcome == .closed)
        let plain = try await observe(
            .answers(["HTTP/1.1 400 Bad\r\n\r\n"]),
            [.connect("proxy"), .tls(TLSOffer(sni: "a"))]
        )
        #expect(plain.outcome == .closed)
    }

    @Test("A tunnel is a CONNECT, its answer, and TLS inside")
    func tunnel() async throws {
        let answer = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"
        let tunnel = AttemptStep.tunnel(.init(host: "a.test", tls: TLSOffer(sni: "a.test")))
        let seen = try await observe(.tunnels(answer), [tunnel, .get("/x")])
        #expect(seen.answers.map(\.status) == [200, 403])
        #expect(seen.outcome == .status(403))
        let refused = try await observe(.answers([answer]), [tunnel, .get("/x")])
        #expect(refused.answers.map(\.status) == [403])
        #expect(refused.outcome == .status(403))
    }

    @Test("A granted CONNECT is no answer to what is in the tunnel")
    func grantedAndClosed() async throws {
        let steps: [AttemptStep] = [
            .connect("proxy"), .send(.text("CONNECT a:443 HTTP/1.1\r\n\r\n", times: 1)), .receive(.answer),
            .receive(.close),
        ]
        let seen = try await observe(.answersAndCloses("HTTP/1.1 200 OK\r\n\r\n"), steps)
        #expect(seen.outcome == .closed)
    }

    @Test("A hand-made greeting is one that a TLS server reads")
    func hello() async throws {
        let steps: [AttemptStep] = [.connect("proxy"), .hello(ClientHello(names: ["a.test"])), .receive(.silence)]
        let seen = try await observe(.securely(""), steps)
        // A ServerHello.
        #expect(seen.received.unicodeScalars.first == "\u{16}")
    }

    @Test("Datagrams and look-ups say what came of them")
    func datagrams() async throws {
        var port = 0
        try await StubPeer.run(.hangs) { port = $0.port }
        let seen = try await observe(.hangs, [.udp(to: "127.0.0.1:\(port)", .bytes([1]))])
        #expect(seen.outcome == .closed)
        #expect(try await observe(.hangs, [.resolve("127.0.0.1")]).outcome == .address)
    }

    @Test("A scan finds what accepts a connection, and nothing else")
    func scan() async throws {
        try await StubPeer.run(.hangs) { endpoint in
            let ports = max(1, endpoint.port - 300)...min(65535, endpoint.port + 300)
            let found = try await PortScan(addresses: ["127.0.0.1", "127.0.0.2"], ports: ports).run()
            #expect(found.open.contains(endpoint))
            #expect(!found.open.contains { $0.host == "127.0.0.2" })
            #expect(found.counts["127.0.0.2"]?[.refused] == ports.count)
            #expect(found.absent == [])
        }
    }
}
