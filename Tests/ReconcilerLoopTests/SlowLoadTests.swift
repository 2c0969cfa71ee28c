import EngineTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import Testing

@Suite("A sidecar that takes its time to load")
struct SlowLoadTests {
    @Test("keeps nothing that it read before its file was put right, though it says so only after that")
    func lateWord() async throws {
        var engine = Sample.engine
        engine.programs["bottle/firewall:latest"] = { _ in
            ReloadingProgram(reading: ["/etc/firewall/allowlist"], moments: 200)
        }
        let bed = try await LoopBed.fresh(engine)
        try await bed.commit(Sample.manifest)
        _ = try await bed.run()
        let wall = Names.container(Sample.identity, .firewall)
        let settled = try await bed.engine.stat(container: wall, path: LoadConfirmation.path)?.linkTarget

        // Somebody edits its file and has it read that; the pass comes before it says so.
        try await bed.engine.change { world in
            _ = try world.exec(wall, .write("evil.example.com 443\n", to: "/etc/firewall/allowlist"))
        }
        try await bed.engine.kill(wall, signal: "SIGHUP")
        let result = try await bed.run()
        await bed.engine.pass(1000)

        guard case .converged = result.outcome else { throw LoopBed.NotConverged(result: result) }
        #expect(try await bed.engine.stat(container: wall, path: LoadConfirmation.path)?.linkTarget == settled)
        #expect(try await bed.plan().isEmpty)
    }
}
