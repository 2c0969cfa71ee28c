import ReconcilerEngine
import Testing

extension SharedBottle {
    /// Runs a command in the agent, as its user, to its end.
    func inAgent(_ command: [String], input: String = "") async throws -> Run {
        try await scene.run(["docker", "exec", "-i", agent] + command, input: input)
    }

    /// The status of a request from the agent with curl; 0 when there was none.
    func request(_ arguments: [String]) async throws -> Int {
        let curl = ["curl", "-s", "-o", "/dev/null", "--max-time", "20", "--path-as-is"]
        let run = try await inAgent(curl + ["-w", "%{http_code} %{http_connect}"] + arguments)
        let codes = run.output.split(separator: " ").compactMap { Int($0) }
        try #require(codes.count == 2, "\(run)")
        // A refused CONNECT is the answer there is.
        return codes[0] == 0 ? codes[1] : codes[0]
    }

    /// What a sidecar says it has loaded, and the hash that its file has.
    func loaded(_ role: String) async throws -> (said: String?, wanted: String) {
        let file = role == "firewall" ? "/etc/firewall/allowlist" : "/etc/egress-proxy/routes.yaml"
        let link = try await scene.engine.stat(container: container(role), path: "/run/bottle/loaded")
        let sum = try await scene.docker("exec", container(role), "sh", "-c", "sha256sum \(file) | sha256sum")
        return (link?.linkTarget, "/\(sum.prefix(64))/ok")
    }

    /// Expects every sidecar to have loaded exactly the files it holds.
    func expectLoaded(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for role in ["firewall", "egress-proxy"] {
            let loaded = try await loaded(role)
            #expect(loaded.said == loaded.wanted, "\(role)", sourceLocation: sourceLocation)
        }
    }
}
