import Testing

/// What an agent asks for, and what an operator sees of it.
extension BottleFixture {
    /// Calls a tool as an agent would, and gives all that the server says; waits as long as that takes.
    nonisolated func asks(_ tool: String, _ arguments: String, in sample: SampleBottle) async throws -> Run {
        let line = ["docker", "exec", "bottle-\(sample.name)-agent", "sh", "-c", Self.call, "call", tool, arguments]
        let answer = try await run(line, timeLimit: .seconds(280))
        // For the reader of a failed run: a question that never arrived is waited for in vain.
        if !answer.output.contains(#""result""#) { print("\(sample.name) asked and heard: \(answer)") }
        return answer
    }

    private static let call = """
        ask() { curl -s --noproxy '*' -X POST http://supervise:9100/mcp -H 'Content-Type: application/json' \
        -H 'Accept: application/json, text/event-stream' "$@"; }
        session=$(ask -D - -o /dev/null -d '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":\
        "2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}' | tr -d '\\r' |
        awk -F': ' 'tolower($1) == "mcp-session-id" { print $2 }')
        ask -H "Mcp-Session-Id: $session" -d '{"jsonrpc":"2.0","method":"notifications/initialized"}'
        ask -H "Mcp-Session-Id: $session" -d "{\\"jsonrpc\\":\\"2.0\\",\\"id\\":2,\\"method\\":\\"tools/call\\",\
        \\"params\\":{\\"name\\":\\"$1\\",\\"arguments\\":$2}}"
        """

    /// The proposals of a bottle that wait.
    nonisolated func proposals(
        of sample: SampleBottle,
        environment: [String: String] = [:]
    ) async throws -> [JSON] {
        try await bottle("proposals", sample.name, "-o", "json", environment: environment).document()["items"].list
    }

    /// The oldest of them, once there is one; the test ends here when none comes.
    nonisolated func asked(
        by sample: SampleBottle,
        environment: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> JSON {
        try await until("it waits") { try await !proposals(of: sample, environment: environment).isEmpty }
        return try #require(
            try await proposals(of: sample, environment: environment).first,
            sourceLocation: sourceLocation
        )
    }
}
