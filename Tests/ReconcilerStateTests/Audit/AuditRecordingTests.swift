import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTrust
import ScratchTestSupport
import Testing

@Suite("An edit on record")
struct AuditRecordingTests {
    static func manifest(_ change: (inout BottleManifest) throws -> Void = { _ in }) throws -> BottleManifest {
        let image = AgentImage.reference(try ImageReference("bottle/agent"))
        var manifest = BottleManifest(
            identity: try Identity("dev"),
            agent: AgentSpec(
                image: image,
                command: ["run", "--key=HIDE-command"],
                prompt: .text("HIDE-prompt"),
                environment: ["TOKEN": .literal("HIDE-env")]
            )
        )
        try change(&manifest)
        return manifest
    }

    static func fingerprint(_ fixture: AuditFixture) throws -> KeyedFingerprint {
        try KeyedFingerprint.load(from: StateFiles(folder: fixture.state.trust))
    }

    @Test("tells what was taken out and put in, and nothing that could be a secret")
    func change() throws {
        let fixture = try AuditFixture()
        let old = try Self.manifest { $0.egress.allowlist = [try HostPattern("a.test"), try HostPattern("b.test")] }
        let new = try Self.manifest {
            $0.egress.allowlist = [try HostPattern("b.test"), try HostPattern("c.test")]
            $0.agent.environment["TOKEN"] = .literal("HIDE-other")
            $0.agent.command = ["run", "--key=HIDE-new"]
            $0.agent.prompt = .text("HIDE-second")
        }
        let change = ManifestChange(from: old, to: new, try Self.fingerprint(fixture))
        func names(_ facts: [String]) -> [String] {
            facts.filter { $0.contains("<fingerprint ") }.map { fact in
                String(fact.prefix { $0 != ":" })
            }
        }
        #expect(change.before.filter { $0.contains("allowlist") } == ["spec.egress.allowlist[]: a.test"])
        #expect(change.after.filter { $0.contains("allowlist") } == ["spec.egress.allowlist[]: c.test"])
        let hidden = ["spec.agent.command[]", "spec.agent.prompt.text", "spec.agent.env.TOKEN"]
        #expect(names(change.before) == hidden && names(change.after) == hidden)
        let first = ManifestChange(from: nil, to: new, try Self.fingerprint(fixture))
        let gone = ManifestChange(from: old, to: nil, try Self.fingerprint(fixture))
        for facts in [change.before, change.after, first.after, gone.before] {
            #expect(!facts.isEmpty && !facts.contains { $0.contains("HIDE") })
        }
        #expect(ManifestChange(from: old, to: old, try Self.fingerprint(fixture)).isEmpty)
    }

    @Test("has its intent before the commit and its revision after it")
    func edit() async throws {
        let fixture = try AuditFixture()
        let revision = try #require(Revision(String(repeating: "a", count: 40)))
        let edit = AuditedEdit(try Identity("dev"), from: nil, to: try Self.manifest())
        let path = fixture.path
        let made = try await fixture.log.recording(
            .apply,
            of: [edit],
            reason: "because",
            trust: fixture.state.trust,
            now: { AuditFixture.time }
        ) {
            let written = try text(path) ?? ""
            #expect(written.contains(#""what":"intent""#))
            return revision
        }
        #expect(made == revision)
        let lines = try fixture.lines().compactMap { AuditLine($0) }
        #expect(lines.map(\.what) == ["intent", "apply"])
        #expect(lines[1].details.intent == 1)
        #expect(lines[1].revision == revision.id)
        #expect(lines[1].details.reason == "because")
        #expect(lines[1].details.after?.contains("spec.agent.image: bottle/agent") == true)
    }

    @Test("that can't be recorded is not made, and one that fails is recorded as failed")
    func refusals() async throws {
        let blocked = try AuditFixture()
        try POSIX.makeFolder(blocked.path)
        let edit = AuditedEdit(try Identity("dev"), from: nil, to: try Self.manifest())
        await #expect(throws: BottleError.self) {
            _ = try await blocked.log.recording(
                .apply,
                of: [edit],
                reason: "",
                trust: blocked.state.trust,
                now: { AuditFixture.time }
            ) {
                Issue.record("the edit was made")
                return nil
            }
        }
        let fixture = try AuditFixture()
        await #expect(throws: CancellationError.self) {
            _ = try await fixture.log.recording(
                .apply,
                of: [edit],
                reason: "",
                trust: fixture.state.trust,
                now: { AuditFixture.time }
            ) { throw CancellationError() }
        }
        #expect(try fixture.lines().compactMap { AuditLine($0)?.details.outcome } == ["failed"])
    }
}
