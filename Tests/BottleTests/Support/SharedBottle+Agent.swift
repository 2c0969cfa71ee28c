import Testing

extension SharedBottle {
    /// Runs a command in the agent, as its user, to its end.
    func inAgent(_ command: [String], input: String = "") async throws -> Run {
        try await fixture.run(["docker", "exec", "-i", agent] + command, input: input)
    }

    /// The status of a request from the agent with curl; 0 when there was none.
    func request(_ arguments: [String]) async throws -> Int {
        let curl = ["curl", "-s", "-o", "/dev/null", "--max-time", "20", "--path-as-is"]
        let run = try await inAgent(curl + ["-w", "%{http_code} %{http_connect}"] + arguments)
        let codes = run.output.split(separator: " ").compactMap { Int($0) }
        try #require(codes.count == 2, "\(run)")
        // A refused CONNECT is an answer; a granted one is none.
        return codes[0] == 0 && codes[1] != 200 ? codes[1] : codes[0]
    }
}
