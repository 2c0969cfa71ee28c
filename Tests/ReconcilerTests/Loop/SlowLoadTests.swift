import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import Testing

@Suite("A sidecar that takes its time to load")
struct SlowLoadTests {
    @Test("keeps nothing that it read before its file was put right, though it says so only after that")
    func lateWord() async throws {
        var engine = SampleEngine.engine
        engine.programs["bottle/firewall:latest"] = { _ in
            ReloadingProgram(reading: ["/etc/firewall/allowlist"], moments: 200)
        }
        let fixture = try await LoopFixture.fresh(engine)
        try await fixture.commit(SampleManifest.routed)
        _ = try await fixture.run()
        let wall = Names.container(SampleManifest.identity, .firewall)
        let settled = try await fixture.engine.stat(container: wall, path: LoadConfirmation.path)?.linkTarget

        // Its file is edited and read again; the pass comes before it says so.
        try await fixture.engine.change { world in
            _ = try world.exec(wall, .write("evil.example.com 443\n", to: "/etc/firewall/allowlist"))
        }
        try await fixture.engine.kill(wall, signal: "SIGHUP")
        let result = try await fixture.run()
        await fixture.engine.pass(1000)

        guard case .converged = result.outcome else { throw LoopFixture.NotConverged(result: result) }
        #expect(try await fixture.engine.stat(container: wall, path: LoadConfirmation.path)?.linkTarget == settled)
        #expect(try await fixture.plan().isEmpty)
    }

    @Test("is not waited for when its file was changed again before it read it")
    func changedAgain() async throws {
        let fixture = try await LoopFixture.converged()
        let wall = Names.container(SampleManifest.identity, .firewall)
        let faulty = FaultyEngine(fixture.engine)
        let vandalism: @Sendable () async throws -> Void = {
            try await fixture.engine.change { world in
                _ = try world.exec(wall, .write("evil.example.com 443\n", to: "/etc/firewall/allowlist"))
            }
        }
        try await vandalism()
        await faulty.faults.add(.delay(.milliseconds(500))) { $0.name == "kill" }
        async let pass = fixture.run(on: faulty)
        for _ in 0..<2000 where await !faulty.faults.mutations.contains(where: { $0.name == "kill" }) {
            try await Task.sleep(for: .milliseconds(5))
        }
        try await vandalism()
        let result = try await pass
        #expect(result.performed.last?.outcome == .failed)
        #expect(result.performed.last?.error?.contains("/etc/firewall/allowlist") == true)
        guard case .retry = result.outcome else { throw LoopFixture.NotConverged(result: result) }
        guard case .converged = try await fixture.run().outcome else { throw LoopFixture.NotConverged(result: result) }
    }
}
