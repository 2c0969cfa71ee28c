import ReconcilerEngine
import Testing

@Suite("Builds")
struct BuildTests {
    @Test("a build is the classic builder's, and brings no credential, no session and nothing that was not asked for")
    func request() async throws {
        let seen = Recorder()
        let script = StubServer.answering { request in
            seen.add(request.head)
            return StubServer.answer(200, "{\"aux\":{\"ID\":\"sha256:1\"}}\n")
        }
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            let options = BuildOptions(
                tags: [],
                labels: ["l": "1"],
                arguments: ["a": "1"],
                networkMode: "container:1",
                memory: 1,
                memorySwap: 1,
                milliCPUs: 1,
                fileSize: 1
            )
            #expect(try await engine.buildImage(context: .bytes([1]), options: options) == "sha256:1")
        }
        let lines = try #require(seen.all.first).split(separator: "\r\n").map(String.init)
        let target = try #require(lines.first).split(separator: " ")[1].split(separator: "?")
        #expect(target.first == "/v1.41/build")
        // `version=2` and a session are how a builder that knows secrets and mounts is asked for.
        #expect(
            target[1].split(separator: "&").map { $0.prefix { $0 != "=" } } == [
                "dockerfile", "rm", "forcerm", "labels", "buildargs", "networkmode", "memory", "memswap", "cpuperiod",
                "cpuquota", "ulimits",
            ]
        )
        let headers = Set(lines.dropFirst().map { $0.prefix { $0 != ":" }.lowercased() })
        #expect(
            headers.subtracting(["accept-encoding", "content-length", "host", "transfer-encoding", "user-agent"])
                == ["content-type"]
        )
    }
}
