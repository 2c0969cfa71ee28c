import ReconcilerModel
import ReconcilerVerify
import Testing

/// Attempts to get out of a bottle, made by an attacker inside of a real agent.
@Suite("Attacks", .serialized, .needsEngine, AttackTrait())
struct AttackTests {
    @Test(
        "come to nothing, whatever faces the agent",
        arguments: [AttackFields.Kind.routed, .bare]
    )
    func hold(_ kind: AttackFields.Kind) async throws {
        let run = try await AttackFields.current().run(kind)
        #expect(!run.verdicts.isEmpty)
        for verdict in run.verdicts where !verdict.faults.isEmpty { Issue.record("\(verdict)") }
        for stray in run.strays { Issue.record("before the first attempt: \(stray)") }
        for error in run.errors { Issue.record("a sidecar fails: \(error.line)") }
        #expect(run.lives.before == run.lives.after)
        #expect(run.lives.after.allSatisfy { $0.contains(" running ") })
    }
}

extension AttackTests {
    @Test("are told from harmless ones: most get out past an egress-proxy as one writes it first")
    func naive() async throws {
        let run = try await AttackFields.current().run(.naive)
        let escapes: Set = [
            // Whose name it is.
            "host-listed-in-open-tunnel", "sni-missing", "h2-authority-unlisted",
            // Paths, methods, pushes.
            "path-dot-segments", "path-slash-encoded", "method-trace-open", "push-discovery", "push-body",
            // What is not HTTP.
            "raw-in-tls", "ssh-in-tls", "tls-in-tls", "upgrade-raw", "websocket-elsewhere",
            // Credentials of the client, and the route's where it should not be.
            "own-authorization-open", "own-cookie", "route-credential-plain-http",
            // What two servers read differently.
            "cl-te", "te-cl",
        ]
        #expect(escapes.subtracting(run.escapes) == [])
        #expect(run.escapes.count >= 200)
        // It is no wall, but what should pass does: the others fail for what they are.
        #expect(Set(["control-listed-get", "control-listed-head", "control-open-post"]).subtracting(run.held) == [])
    }
}

@Suite struct AttemptCorpusTests {
    @Test("The attempts are there, each with a name of its own, and nothing in their files is wrong")
    func corpus() throws {
        let corpus = try AttemptCorpus.load()
        #expect(corpus.diagnostics.map { "\($0.location?.description ?? "") \($0.message)" } == [])
        let names = corpus.attempts.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.count >= 120)
        #expect(corpus.attempts.count { $0.isFor(.firewall) } >= 30)
    }
}
