import ReconcilerEngine
import Testing

extension SharedBottle {
    /// What a sidecar says it has loaded, and the hash that its file has.
    func loaded(_ role: String) async throws -> (said: String?, wanted: String) {
        let file = role == "firewall" ? "/etc/firewall/allowlist" : "/etc/egress-proxy/routes.yaml"
        let link = try await fixture.engine.stat(container: container(role), path: "/run/bottle/loaded")
        let sum = try await fixture.docker("exec", container(role), "sh", "-c", "sha256sum \(file) | sha256sum")
        return (link?.linkTarget, "/\(sum.prefix(64))/ok")
    }

    /// Expects every sidecar to have loaded exactly the files it holds.
    func expectLoaded(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for role in ["firewall", "egress-proxy"] {
            let loaded = try await loaded(role)
            #expect(loaded.said == loaded.wanted, "\(role)", sourceLocation: sourceLocation)
        }
    }

    /// A command line with this bottle's names in it.
    func named(_ line: String) -> String {
        var line = line
        for (word, name) in [("ID", sample.name), ("NET", internet.network)] {
            while let range = line.firstRange(of: word) { line.replaceSubrange(range, with: name) }
        }
        return line
    }

    /// Expects the bottle to be converged, to have loaded what it should, and to let out what it should.
    func expectWhole(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await expectConverged(sourceLocation: sourceLocation)
        try await expectLoaded(sourceLocation: sourceLocation)
        let mark = fixture.name()
        let status = try await request(["https://api.bt.test/repos/acme/\(mark)"])
        #expect(status == 200, sourceLocation: sourceLocation)
        let seen = try await internet.requests(holding: mark, due: true)
        #expect(seen.map { $0.headers["authorization"] } == ["Bearer \(token)"], sourceLocation: sourceLocation)
        let refused = try await request(["https://evil.bt.test/\(mark)"])
        #expect(refused == 403, sourceLocation: sourceLocation)
    }

    /// The link of a sidecar once it says that it refused a file.
    func waitForRefusal(_ role: String) async throws -> String {
        for _ in 0..<100 {
            let link = try await fixture.engine.stat(container: container(role), path: "/run/bottle/loaded")?.linkTarget
            if let link, !link.hasSuffix("/ok") { return link }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("\(role) does not say that it refused")
        return ""
    }
}
