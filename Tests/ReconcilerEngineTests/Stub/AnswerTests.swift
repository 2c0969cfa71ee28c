import ReconcilerEngine
import Testing

@Suite("Answers and refusals")
struct AnswerTests {
    struct Refusal: Sendable {
        let status: Int
        let body: String
        let message: String
    }

    @Test(
        "a refusal keeps its status and the engine's own words",
        arguments: [
            Refusal(status: 404, body: #"{"message":"No such container: x"}"#, message: "No such container: x"),
            Refusal(status: 409, body: #"{"message":"name \"/x\" is in use"}"#, message: #"name "/x" is in use"#),
            Refusal(status: 500, body: "plain text\n", message: "plain text"),
            Refusal(status: 503, body: "", message: ""),
            Refusal(status: 400, body: #"{"message":7}"#, message: #"{"message":7}"#),
            Refusal(status: 301, body: "moved", message: "moved"),
            Refusal(status: 418, body: "\u{FFFD}", message: "\u{FFFD}"),
        ]
    )
    func refusal(_ row: Refusal) async throws {
        let script = StubServer.answering { _ in StubServer.answer(row.status, row.body) }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            let error = await failure { try await engine.start("x") }
            let expected = EngineError.HTTPFailure(
                status: row.status,
                method: "POST",
                path: "/v1.41/containers/x/start",
                message: row.message
            )
            #expect(error == .http(expected))
            #expect(error?.isNotFound == (row.status == 404))
            #expect(error?.isConflict == (row.status == 409))
            #expect(error?.description.contains(row.message) == true)
        }
    }

    @Test("a refused look at a file, which has no words of its own, names the file and the container")
    func refusedLook() async throws {
        let script = StubServer.answering { _ in "HTTP/1.1 500 No\r\nContent-Length: 20\r\n\r\n" }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            let error = await failure { _ = try await engine.stat(container: "x", path: "/etc/f") }
            #expect(error?.status == 500)
            #expect(
                error?.description
                    == "the engine would not look at /etc/f in x (HTTP 500 from HEAD /v1.41/containers/x/archive)"
            )
        }
    }

    @Test("204 is success, 304 says that nothing changed, and both leave the connection usable")
    func noContent() async throws {
        let script = StubServer.answering { request in
            request.line.contains("start") ? "HTTP/1.1 304 Not Modified\r\n\r\n" : "HTTP/1.1 204 No Content\r\n\r\n"
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            try await engine.stop("x")
            #expect(await failure { try await engine.start("x") }?.isNotModified == true)
            try await engine.stop("x")
            #expect(server.opened == 1)
        }
    }

    struct Negotiation: Sendable {
        let offered: String
        let spoken: String?
    }

    @Test(
        "the client speaks the newest version that both know, and refuses an engine that is too old",
        arguments: [
            Negotiation(offered: "1.41", spoken: "1.41"),
            Negotiation(offered: "1.43", spoken: "1.43"),
            Negotiation(offered: "1.52", spoken: "1.45"),
            Negotiation(offered: "2.0", spoken: "1.45"),
            Negotiation(offered: "1.40", spoken: nil),
            Negotiation(offered: "1.9", spoken: nil),
            Negotiation(offered: "", spoken: nil),
            Negotiation(offered: "new", spoken: nil),
        ]
    )
    func negotiation(_ row: Negotiation) async throws {
        let script = StubServer.answering(version: row.offered) { request in
            StubServer.answer(200, request.line.hasPrefix("GET /v\(row.spoken ?? "?")/networks ") ? "[]" : "{")
        }
        try await StubServer.run(script: script) { server in
            guard let spoken = row.spoken else {
                let error = await failure { _ = try await EngineClient.connect(to: server.address) }
                guard case .unsupportedVersion(_, "1.41") = error else {
                    Issue.record("not refused for its version: \(String(describing: error))")
                    return
                }
                return
            }
            let engine = try await EngineClient.connect(to: server.address)
            #expect(engine.apiVersion.description == spoken)
            #expect(try await engine.networks().isEmpty)
        }
    }

    @Test(
        "an answer that is not of the documented shape is a decoding error",
        arguments: ["", "{", "{}", "[1]", #"[{"Name":"x"}]"#, "<html>"]
    )
    func shape(_ body: String) async throws {
        try await StubServer.run(script: StubServer.answering { _ in StubServer.answer(200, body) }) { server in
            let engine = try await EngineClient.connect(to: server.address)
            let error = await failure { _ = try await engine.networks() }
            guard case .decoding("/v1.41/networks", _) = error else {
                Issue.record("not a decoding error: \(String(describing: error))")
                return
            }
        }
    }

    @Test("names are encoded in the path, filters in the query, and each request names its host")
    func encoding() async throws {
        let seen = Recorder()
        let script = StubServer.answering { request in
            seen.add(request.head)
            return StubServer.answer(200, "[]")
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            try await engine.start("a/../b?c#d é\r\nX: y")
            _ = try await engine.containers(labels: ["k=v&w", "x"], all: true)
            try await engine.tag("host:5000/a/b:c", as: "host:5000/d:e")
            let lines = seen.all.map { String($0.prefix { $0 != "\r\n" }) }
            #expect(
                lines == [
                    "POST /v1.41/containers/a%2F..%2Fb%3Fc%23d%20%C3%A9%0D%0AX%3A%20y/start HTTP/1.1",
                    "GET /v1.41/containers/json?all=1&filters=%7B%22label%22%3A%5B%22k%3Dv%26w%22%2C%22x%22%5D%7D HTTP/1.1",
                    "POST /v1.41/images/host%3A5000/a/b%3Ac/tag?repo=host%3A5000%2Fd&tag=e HTTP/1.1",
                ]
            )
            #expect(seen.all.allSatisfy { $0.contains("\r\nHost: docker") })
        }
    }

    @Test(
        "a name that would make another request of it is refused and nothing is sent",
        arguments: ["", ".", "..", "a\0"]
    )
    func emptyNames(_ name: String) async throws {
        let seen = Recorder()
        let script = StubServer.answering { request in
            seen.add(request.line)
            return StubServer.answer(200, "{}")
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            let attempts: [() async throws -> Void] = [
                { try await engine.remove(name, force: true, volumes: true) },
                { _ = try await engine.container(name) },
                { try await engine.removeVolume(name) },
                { try await engine.removeNetwork(name) },
                { try await engine.removeImage(name, force: true) },
                { try await engine.removeImage("a/\(name)/b", force: true) },
                { _ = try await engine.exec(name) },
            ]
            for attempt in attempts {
                guard case .invalidArgument = await failure(of: attempt) else {
                    Issue.record("'\(name)' was not refused")
                    continue
                }
            }
            #expect(seen.all.isEmpty)
        }
    }

    @Test("a create request holds what was set and nothing else")
    func createBody() async throws {
        let seen = Recorder()
        let script = StubServer.answering { request in
            seen.add(String(decoding: request.body, as: UTF8.self))
            return StubServer.answer(201, #"{"Id":"new","Warnings":null}"#)
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            let create = ContainerCreate(
                config: ContainerConfig(image: "i", command: []),
                hostConfig: HostConfig(initProcess: true, dropCapabilities: ["ALL"], sysctls: ["net.a": "1"]),
                endpoints: ["net": EndpointCreate(ipv4: "10.0.0.2", aliases: ["a"])]
            )
            #expect(try await engine.createContainer(name: "n", create) == CreatedContainer(id: "new"))
            #expect(try await engine.createNetwork(NetworkCreate(name: "n")) == "new")
            #expect(
                seen.all == [
                    #"{"Cmd":[],"HostConfig":{"CapDrop":["ALL"],"Init":true,"Sysctls":{"net.a":"1"}},"Image":"i","#
                        + #""NetworkingConfig":"#
                        + #"{"EndpointsConfig":{"net":{"Aliases":["a"],"IPAMConfig":{"IPv4Address":"10.0.0.2"}}}}}"#,
                    #"{"CheckDuplicate":true,"Driver":"bridge","Name":"n"}"#,
                ]
            )
        }
    }

    @Test("those who watch are told each call, with its status and time")
    func observer() async throws {
        let seen = Recorder()
        let script = StubServer.answering { _ in StubServer.answer(404, "{}") }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address) { call in
                seen.add("\(call.method) \(call.target) \(call.status ?? 0) \(call.duration > .zero)")
            }
            _ = await failure { _ = try await engine.containers(labels: [], all: false) }
            _ = await failure { _ = try await engine.events(EventQuery()) }
        }
        #expect(
            seen.all == [
                "GET /_ping 200 true", "GET /v1.41/containers/json?all=0 404 true", "GET /v1.41/events 404 true",
            ]
        )
    }
}
