import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerTime
import Synchronization
import Testing

/// A controller that runs on the engine in memory.
@Suite("A controller")
struct ControllerLoopTests {
    @Test("looks after a bottle that a commit brought back while another's removal of it was under way")
    func comesBack() async throws {
        let fixture = try await LoopFixture.converged()
        let faulty = FaultyEngine(fixture.engine)
        try await fixture.underController(on: faulty) {
            await faulty.faults.add(.delay(.seconds(1))) { $0.name == "removeNetwork" }
            try await fixture.uncommit()
            try await eventually("the removal has begun") {
                await faulty.faults.mutations.contains { $0.name == "remove" }
            }
            try await fixture.commit(SampleManifest.routed)
            try await eventually("the bottle is back") { try await fixture.isReady() }
            try await fixture.engine.change { try $0.remove("bottle-dev-firewall", force: true) }
            try await eventually("its firewall is created again") { try await fixture.isReady() }
        }
    }

    @Test("does nothing while the engine is away, however often it asks, and heals once it is back")
    func engineAway() async throws {
        let fixture = try await LoopFixture.converged()
        let before = WorldText.lines(await fixture.engine.world)
        let faulty = FaultyEngine(fixture.engine)
        let isAway = Mutex(false)
        let gone = EngineError.transport("no such file or directory: docker.sock")
        await faulty.faults.add(.refuse(gone), times: .max) { _ in isAway.withLock { $0 } }
        try await fixture.underController(on: faulty) {
            try await eventually("it has looked") { await faulty.faults.looks > 0 }
            isAway.withLock { $0 = true }
            try await fixture.engine.change { try $0.remove("bottle-dev-firewall", force: true) }
            let calls = await faulty.faults.looks
            try await eventually("it has asked a hundred times") { await faulty.faults.looks > calls + 100 }
            #expect(await faulty.faults.mutations.isEmpty)
            isAway.withLock { $0 = false }
            try await eventually("its firewall is created again") { try await fixture.isReady() }
        }
        #expect(WorldText.lines(await fixture.engine.world) == before)
    }

    @Test("lets a bottle rest that needs to be healed again and again, but not from what a person commits")
    func healedTooOften() async throws {
        let fixture = try await LoopFixture.converged()
        let faulty = FaultyEngine(fixture.engine)
        let rests = Mutex(0)
        let heals = Mutex(0)
        let report: @Sendable (ControllerReport) -> Void = { report in
            switch report {
            case .healedTooOften: rests.withLock { $0 += 1 }
            case .ended(let result) where !result.drift.isEmpty: heals.withLock { $0 += 1 }
            default: break
            }
        }
        let healing = TokenBucket(limit: 3, interval: .seconds(3600))
        try await fixture.underController(on: faulty, healing: healing, report: report) {
            for turn in 1...3 {
                try await fixture.engine.change { try $0.remove("bottle-dev-firewall", force: true) }
                try await eventually("heal \(turn) is over") { heals.withLock { $0 } == turn }
            }
            try await eventually("it is told") { rests.withLock { $0 } == 1 }
            try await fixture.engine.change { try $0.remove("bottle-dev-firewall", force: true) }
            let looks = await faulty.faults.looks
            try await eventually("it has looked a hundred times") { await faulty.faults.looks > looks + 100 }
            #expect(heals.withLock { $0 } == 3)
            #expect(try await !fixture.isReady())
            try await fixture.commit(SampleManifest.edited { $0.labels["team"] = "core" })
            try await eventually("the commit's pass makes it whole") { try await fixture.isReady() }
        }
    }

    @Test(
        "heals at once when the engine is back, however long the passes that failed for want of it would rest",
        arguments: [true, false]
    )
    func engineBack(isAwayAtFirst: Bool) async throws {
        let fixture = try await LoopFixture.converged()
        let faulty = FaultyEngine(fixture.engine)
        let isAway = Mutex(isAwayAtFirst)
        let gone = EngineError.transport("no such file or directory: docker.sock")
        await faulty.faults.add(.refuse(gone), times: .max) { _ in isAway.withLock { $0 } }
        let told = Mutex((converged: 0, failed: 0, troubles: 0))
        let report: @Sendable (ControllerReport) -> Void = { report in
            told.withLock { told in
                switch report {
                case .ended(let result):
                    if case .converged = result.outcome { told.converged += 1 } else { told.failed += 1 }
                case .trouble: told.troubles += 1
                default: break
                }
            }
        }
        let backoff = Backoff(base: .seconds(3600), cap: .seconds(3600))
        try await fixture.underController(on: faulty, backoff: backoff, report: report) {
            if !isAwayAtFirst {
                // The events go on coming: only a new request gets no answer.
                try await eventually("all is well") { told.withLock { $0.converged } > 0 }
                isAway.withLock { $0 = true }
            }
            try await fixture.engine.change { try $0.remove("bottle-dev-firewall", force: true) }
            try await eventually("its pass has failed, and a look at the engine") {
                told.withLock { $0.failed > 0 && $0.troubles > 0 }
            }
            isAway.withLock { $0 = false }
            try await eventually("its firewall is created again") { try await fixture.isReady() }
        }
    }
}

extension LoopFixture {
    /// Runs `body` while a controller looks after this installation, which looks by itself seldom.
    fileprivate func underController(
        on engine: any EngineWriting,
        backoff: Backoff = Backoff(base: .milliseconds(10), cap: .milliseconds(100)),
        healing: TokenBucket = TokenBucket(limit: 240, interval: .seconds(30)),
        report: @escaping @Sendable (ControllerReport) -> Void = { _ in },
        _ body: () async throws -> Void
    ) async throws {
        let controller = Controller(
            try await installation(engine),
            pace: ControllerPace(
                interval: .milliseconds(50),
                sweep: .seconds(600),
                backoff: backoff,
                healing: healing
            ),
            time: TimeSource(now: { LoopFixture.now }),
            report: report
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
