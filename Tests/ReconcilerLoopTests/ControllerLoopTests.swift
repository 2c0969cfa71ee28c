import EngineTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import Testing

/// A controller that runs on the engine in memory.
@Suite("A controller")
struct ControllerLoopTests {
    @Test("looks after a bottle that a commit brought back while another's removal of it was under way")
    func comesBack() async throws {
        let bed = try await LoopBed.converged()
        let faulty = FaultyEngine(bed.engine)
        try await bed.underController(on: faulty) {
            await faulty.faults.add(.delay(.seconds(1))) { $0.name == "removeNetwork" }
            try await bed.uncommit()
            try await eventually("the removal has begun") {
                await faulty.faults.mutations.contains { $0.name == "remove" }
            }
            try await bed.commit(Sample.manifest)
            try await eventually("the bottle is back") { try await bed.isReady() }
            try await bed.engine.change { try $0.remove("bottle-dev-firewall", force: true) }
            try await eventually("its firewall is made anew") { try await bed.isReady() }
        }
    }
}

extension LoopBed {
    /// Runs `body` while a controller looks after this installation, which looks by itself seldom.
    fileprivate func underController(
        on engine: any EngineWriting,
        _ body: () async throws -> Void
    ) async throws {
        let controller = Controller(
            try await installation(engine),
            pace: ControllerPace(
                interval: .milliseconds(50),
                sweep: .seconds(600),
                backoff: Backoff(base: .milliseconds(10), cap: .milliseconds(100))
            ),
            now: { "2026-01-01T00:00:00Z" },
            report: { _ in }
        )
        try await controller.whileRunning(body)
    }

    /// Whether everything of the bottle is there, and nothing would be done about it.
    fileprivate func isReady() async throws -> Bool {
        guard try await record()?.converged != nil else { return false }
        let plan = try await plan()
        return plan.actions.isEmpty && plan.findings.isEmpty
    }
}
