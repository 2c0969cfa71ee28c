import ReconcilerEngine
import Testing

@Suite("Pulls")
struct PullTests {
    /// Pulls `reference` from an engine that answers with `lines`; gives the request and what was told on the way.
    private func pull(
        _ reference: String,
        status: Int = 200,
        _ lines: String
    ) async throws -> (request: [String], told: [String], error: EngineError?) {
        let (seen, told) = (Recorder(), Recorder())
        let script = StubServer.answering { request in
            seen.add(String(request.line.dropLast(9)))
            return StubServer.answer(status, lines)
        }
        var error: EngineError?
        try await StubServer.run(script: script) { server in
            let engine = try await EngineClient.connect(to: server.address)
            do throws(EngineError) {
                try await engine.pullImage(reference) { told.add("\($0.item ?? "-") \($0.status ?? "-")") }
            } catch let problem {
                error = problem
            }
        }
        return (seen.all, told.all, error)
    }

    @Test(
        "a pull names the image and one tag, and tells its progress",
        arguments: [
            ("a", "a%3Alatest"), ("a:1", "a%3A1"), ("host:5000/a/b", "host%3A5000%2Fa%2Fb%3Alatest"),
            ("a@sha256:0", "a%40sha256%3A0"),
        ]
    )
    func progress(_ reference: String, _ sent: String) async throws {
        let lines = """
            {"status":"Pulling from a","id":"latest"}
            {"status":"Downloading","progressDetail":{"current":1,"total":2},"progress":"[=> ]","id":"abc"}

            {"status":"Status: Downloaded newer image"}

            """
        let result = try await pull(reference, lines)
        #expect(result.error == nil)
        #expect(result.request == ["POST /v1.41/images/create?fromImage=\(sent)"])
        #expect(result.told == ["latest Pulling from a", "abc Downloading", "- Status: Downloaded newer image"])
    }

    @Test("a pull that fails on the way ends with the engine's words")
    func failsOnTheWay() async throws {
        let lines = """
            {"status":"Pulling from a","id":"latest"}
            {"errorDetail":{"message":"no space left"},"error":"no space left"}

            """
        let result = try await pull("a", lines)
        #expect(result.error == .failed("no space left"))
        #expect(result.told.first == "latest Pulling from a")
    }

    @Test("a pull that is refused tells the engine's words and its status")
    func refused() async throws {
        let result = try await pull("a", status: 404, #"{"message":"pull access denied for a"}"#)
        #expect(result.error?.isNotFound == true)
        #expect(result.error?.description.hasPrefix("pull access denied for a") == true)
        #expect(result.told.isEmpty)
    }

    @Test("what names no image is not sent", arguments: ["", "a/"])
    func nameless(_ reference: String) async throws {
        let result = try await pull(reference, "")
        #expect(result.request.isEmpty)
        guard case .invalidArgument = result.error else {
            Issue.record("not refused: \(String(describing: result.error))")
            return
        }
    }
}
