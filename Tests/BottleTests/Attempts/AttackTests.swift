import ReconcilerModel
import ReconcilerVerify
import Testing

/// Attempts to get out of a bottle, made by an attacker inside of a real agent.
@Suite("Attacks", .serialized, .needsEngine, AttackTrait())
struct AttackTests {
    @Test("hold against every attempt where the egress-proxy faces the agent")
    func routed() async throws {
        try await hold(try await AttackFields.current().routed(), "routed")
    }

    @Test("hold against every attempt where the firewall faces the agent")
    func bare() async throws {
        try await hold(try await AttackFields.current().bare(), "bare")
    }

    private func hold(_ field: AttackField, _ name: String) async throws {
        let corpus = try AttemptCorpus.load()
        let run = try await AttackRun(corpus.attempts, on: field)
        try run.keepReport(as: name)
        #expect(!run.verdicts.isEmpty)
        for verdict in run.verdicts where !verdict.faults.isEmpty { Issue.record("\(verdict)") }
        for stray in run.strays { Issue.record("before the first attempt: \(stray)") }
        for error in run.errors { Issue.record("a sidecar fails: \(error.line)") }
        #expect(run.lives.before == run.lives.after)
        #expect(run.lives.after.allSatisfy { $0.contains(" running ") })
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
