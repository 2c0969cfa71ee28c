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

    @Test("is not waited for when its file was changed again before it read it")
    func changedAgain() async throws {
        let bed = try await LoopBed.converged()
        let wall = Names.container(Sample.identity, .firewall)
        let faulty = FaultyEngine(bed.engine)
        let vandalism: @Sendable () async throws -> Void = {
            try await bed.engine.change { world in
                _ = try world.exec(wall, .write("evil.example.com 443\n", to: "/etc/firewall/allowlist"))
            }
        }
        try await vandalism()
        await faulty.faults.add(.delay(.milliseconds(500))) { $0.name == "kill" }
        async let pass = bed.run(on: faulty)
        for _ in 0..<2000 where await !faulty.faults.mutations.contains(where: { $0.name == "kill" }) {
            try await Task.sleep(for: .milliseconds(5))
        }
        try await vandalism()
        let result = try await pass
        #expect(result.performed.last?.outcome == .failed)
        #expect(result.performed.last?.error?.contains("/etc/firewall/allowlist") == true)
        guard case .retry = result.outcome else { throw LoopBed.NotConverged(result: result) }
        guard case .converged = try await bed.run().outcome else { throw LoopBed.NotConverged(result: result) }
    }
}
