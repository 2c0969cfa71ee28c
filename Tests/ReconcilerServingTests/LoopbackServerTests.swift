import ReconcilerServing
import Synchronization
import Testing

/// Real connections to a real listener.
@Suite(.timeLimit(.minutes(1))) struct LoopbackServerTests {
    private func serving(
        _ limits: LoopbackServer.Limits = .init(),
        _ body: (Int) async throws -> Void
    ) async throws {
        let server = LoopbackServer(at: LoopbackAddress(port: 0), limits: limits) { request in
            .text(200, "you asked \(request.path)\n")
        }
        try await server.whileServing { try await body($0.port) }
    }

    /// What is answered to a head, in which PORT stands for the port.
    private func answer(to head: String, at port: Int) async throws -> String {
        try await RawClient.connected(to: port) { client in
            try await client.send(head.replacing("PORT", with: "\(port)").replacing("\n", with: "\r\n"))
            return try await client.answer()
        }
    }

    @Test func askingTwiceOnOneConnectionIsAnsweredTwice() async throws {
        try await serving { port in
            try await RawClient.connected(to: port) { client in
                for path in ["/one", "/two?with=query"] {
                    try await client.send("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n")
                    let answer = try await client.answer()
                    #expect(answer.status == 200)
                    #expect(answer.body == "you asked \(path.prefix(4))\n")
                }
            }
        }
    }

    @Test func headIsAnsweredAsGetWithoutTheBody() async throws {
        try await serving { port in
            try await RawClient.connected(to: port) { client in
                try await client.send("HEAD /x HTTP/1.1\r\nHost: localhost:\(port)\r\nConnection: close\r\n\r\n")
                let answer = await client.rest()
                #expect(answer.status == 200)
                #expect(answer.lowercased().contains("content-length: 13\r\n"))
                #expect(answer.body == "")
            }
        }
    }

    @Test(
        "a request in another name, from a page, with another method or with a body is refused",
        arguments: [
            // A foreign name that leads here.
            ("GET / HTTP/1.1\nHost: evil.example\n\n", 421), ("GET / HTTP/1.1\nHost: evil.example:PORT\n\n", 421),
            ("GET / HTTP/1.1\nHost: 127.0.0.1.evil.example:PORT\n\n", 421),
            ("GET / HTTP/1.1\nHost: 127.0.0.1\n\n", 421), ("GET / HTTP/1.1\nHost: 127.0.0.1:1\n\n", 421),
            ("GET / HTTP/1.1\nHost: 10.0.0.1:PORT\n\n", 421), ("GET / HTTP/1.1\nHost: u@127.0.0.1:PORT\n\n", 421),
            ("GET / HTTP/1.1\nHost: 127.0.0.1:PORT\nHost: evil.example\n\n", 421),
            ("GET / HTTP/1.1\nHost: 127.0.0.1:PORT, evil.example\n\n", 421),
            ("GET / HTTP/1.1\nX: y\n\n", 421), ("GET / HTTP/1.0\n\n", 421), ("GET / HTTP/1.1\nHost:\n\n", 421),
            // A page's request.
            ("GET / HTTP/1.1\nHost: 127.0.0.1:PORT\nOrigin: http://evil.example\n\n", 403),
            ("GET / HTTP/1.1\nHost: 127.0.0.1:PORT\nOrigin: null\n\n", 403),
            ("GET / HTTP/1.1\nHost: 127.0.0.1:PORT\nOrigin: http://127.0.0.1:1\n\n", 403),
            ("GET / HTTP/1.1\nHost: 127.0.0.1:PORT\nOrigin: http://127.0.0.1:PORT\n\n", 200),
            // Other methods.
            ("POST / HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: 0\n\n", 405),
            ("DELETE / HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 405), ("OPTIONS * HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 405),
            ("CONNECT a:1 HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 405),
            ("TRACE / HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 405),
            // Bodies.
            ("GET / HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: 9\n\n", 413),
            ("GET / HTTP/1.1\nHost: 127.0.0.1:PORT\nTransfer-Encoding: chunked\n\n", 413),
            ("GET / HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: 0\n\n", 200),
            // Not HTTP.
            ("\u{16}\u{03}\u{01}\n\n", 400), ("GET\n\n", 400), ("GET / HTTP/3.7\nHost: 127.0.0.1:PORT\n\n", 400),
            // As it should be.
            ("GET / HTTP/1.1\nHost: LocalHost:PORT\n\n", 200), ("GET / HTTP/1.1\nHost: [::1]:PORT\n\n", 200),
        ]
    )
    func refused(head: String, status: Int) async throws {
        try await serving { port in
            let answer = try await self.answer(to: head, at: port)
            #expect(answer.status == status, "\(answer)")
        }
    }

    @Test(
        "a head that is too large ends the connection",
        arguments: [
            "GET /\(String(repeating: "x", count: 9 << 10)) HTTP/1.1\n",
            "GET / HTTP/1.1\nX: \(String(repeating: "x", count: 9 << 10))\n",
            "GET / HTTP/1.1\n" + String(repeating: "X: \(String(repeating: "x", count: 300))\n", count: 40),
            "GET / HTTP/1.1\n" + String(repeating: "X: y\n", count: 70),
        ]
    )
    func tooLarge(head: String) async throws {
        try await serving { port in
            try await RawClient.connected(to: port) { client in
                try? await client.send(head.replacing("\n", with: "\r\n") + "Host: 127.0.0.1:\(port)\r\n\r\n")
                let answer = await client.rest()
                #expect(answer.status == 400 || answer.isEmpty, "\(answer)")
                #expect(!answer.contains("you asked"))
            }
        }
    }

    @Test func aClientThatSaysNothingOrLittleIsHungUpOn() async throws {
        var limits = LoopbackServer.Limits()
        limits.silence = .seconds(2)
        try await serving(limits) { port in
            // Each ends: otherwise the suite's time limit does.
            let silent = try await RawClient.connected(to: port) { await $0.rest() }
            #expect(silent == "")
            try await RawClient.connected(to: port) { client in
                try await client.send("GET / HTTP/1.1\r\n")
                // Drops of a head are no sign of life; writing fails once the server hung up.
                while (try? await client.send("X: y\r\n")) != nil { try await Task.sleep(for: .milliseconds(50)) }
            }
            try await RawClient.connected(to: port) { client in
                try await client.send("GET / HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n")
                #expect(try await client.answer().status == 200)
                #expect(await client.rest() == "")
            }
        }
    }

    @Test func moreConnectionsThanAreServedWaitForOneToEnd() async throws {
        var limits = LoopbackServer.Limits()
        limits.connections = 1
        try await serving(limits) { port in
            let order = Order()
            let request = "GET / HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n"
            try await RawClient.connected(to: port) { first in
                try await first.send(request)
                #expect(try await first.answer().status == 200)
                async let second: Void = RawClient.connected(to: port) { second in
                    try await second.send(request)
                    #expect(try await second.answer().status == 200)
                    order.add("second")
                }
                for _ in 1...20 {
                    try await first.send(request)
                    #expect(try await first.answer().status == 200)
                    try await Task.sleep(for: .milliseconds(10))
                }
                order.add("first")
                try await first.send("GET / HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n")
                _ = await first.rest()
                try await second
            }
            #expect(order.all == ["first", "second"])
        }
    }

    @Test func aPortInUseIsAnErrorAndTheBodyDoesNotRun() async throws {
        try await serving { port in
            let second = LoopbackServer(at: LoopbackAddress(port: port)) { _ in .text(200, "") }
            await #expect(throws: (any Error).self) {
                try await second.whileServing { _ in Issue.record("it ran") }
            }
        }
    }

    @Test func nothingListensOnceTheBodyHasEnded() async throws {
        let port = Mutex(0)
        try await serving { bound in port.withLock { $0 = bound } }
        let bound = port.withLock { $0 }
        await #expect(throws: (any Error).self) { try await RawClient.connected(to: bound) { _ in } }
    }
}

/// What happened, in order.
private final class Order: Sendable {
    private let names = Mutex<[String]>([])

    var all: [String] { names.withLock { $0 } }

    func add(_ name: String) { names.withLock { $0.append(name) } }
}
