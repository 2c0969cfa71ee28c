import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerState
import ReconcilerTime
import Synchronization
import Testing

/// Clocks that are set: the engine's, by which a sidecar's word is told from that of an earlier life, and ours.
@Suite("A clock that is set")
struct ClockTests {
    private static let wall = "bottle-dev-firewall"
    private static let list = "/etc/firewall/allowlist"

    /// A bottle whose firewall takes `moments` to load.
    private func fixture(moments: Int = 2) async throws -> LoopFixture {
        var engine = SampleEngine.engine
        engine.programs["bottle/firewall:latest"] = { _ in
            ReloadingProgram(reading: [Self.list], moments: moments)
        }
        let fixture = try await LoopFixture.fresh(engine)
        try await fixture.commit(SampleManifest.routed)
        guard case .converged = try await fixture.run().outcome else { throw CancellationError() }
        return fixture
    }

    private func link(_ fixture: LoopFixture) async throws -> PathStat {
        try #require(try await fixture.engine.stat(container: Self.wall, path: LoadConfirmation.path))
    }

    /// One pass that does not wait long for a word.
    private func impatientPass(_ fixture: LoopFixture) async throws -> PassResult {
        var pass = try await fixture.pass()
        pass.patience = .milliseconds(200)
        return try await pass.run(mayEndAgent: true)
    }

    @Test("back between a sidecar's start and its word: the pass that finds it so starts it again")
    func back() async throws {
        let fixture = try await fixture()
        try await fixture.engine.change { world in
            try world.restart(Self.wall, timeout: 0)
            world.clock.seconds -= 3600
        }
        await fixture.engine.pass(10)
        #expect(try await fixture.plan().actions.map(\.text) == ["signal container/firewall other-generation"])
        let before = await fixture.engine.world

        let result = try await impatientPass(fixture)
        guard case .converged = result.outcome else { throw LoopFixture.NotConverged(result: result) }
        #expect(
            result.performed.map { "\($0.action.text) \($0.outcome)" } == [
                "signal container/firewall other-generation failed",
                "restart container/firewall silent done",
            ]
        )
        #expect(result.drift.map(\.kind) == [.silent])
        #expect(try await fixture.plan().isEmpty)
        // Nothing else was started, and it is the same container.
        let after = await fixture.engine.world
        for (id, container) in before.containers {
            let isSame = after.containers[id]?.state.startedAt == container.state.startedAt
            #expect(isSame == (container.name != Self.wall), "\(container.name)")
        }
        #expect(try await impatientPass(fixture).performed.isEmpty)
    }

    @Test("back after a sidecar's word is no reason to touch it")
    func backLater() async throws {
        let fixture = try await fixture()
        await fixture.engine.change { $0.clock.seconds -= 3600 }
        #expect(try await fixture.plan().isEmpty)
    }

    @Test("forward, whenever that is, is no reason to touch a sidecar")
    func forward() async throws {
        let fixture = try await fixture()
        await fixture.engine.change { $0.clock.seconds += 3600 }
        #expect(try await fixture.plan().isEmpty)
        try await fixture.engine.change { world in
            try world.restart(Self.wall, timeout: 0)
            world.clock.seconds += 3600
        }
        await fixture.engine.pass(10)
        #expect(try await fixture.plan().isEmpty)
    }

    @Test("back from where a sidecar spoke: its word of then proves nothing of its next life")
    func oldLife() async throws {
        let fixture = try await fixture(moments: 200)
        let settled = try await link(fixture).linkTarget
        // It speaks an hour ahead; then the clock is put right, and it starts again, on a list that is not ours.
        await fixture.engine.change { $0.clock.seconds += 3600 }
        try await fixture.engine.kill(Self.wall, signal: "SIGHUP")
        await fixture.engine.pass(300)
        try await fixture.engine.change { world in
            world.clock.seconds -= 3600
            _ = try world.exec(Self.wall, .write("evil.example.com 443\n", to: Self.list))
            try world.restart(Self.wall, timeout: 0)
        }
        let old = try await link(fixture)
        #expect(old.linkTarget == settled)
        let start = try await fixture.engine.container(Self.wall).state.startedAt
        #expect(LoadedGeneration(old, since: start) == nil)

        let result = try await fixture.run()
        guard case .converged = result.outcome else { throw LoopFixture.NotConverged(result: result) }
        let said = try await link(fixture)
        let now = await fixture.engine.world.clock
        #expect(said.modifiedAt <= now, "a word of its own")
        // What it read at its start it would say now, had it been left with it.
        await fixture.engine.pass(1000)
        #expect(try await link(fixture).linkTarget == settled)
        #expect(try await fixture.plan().isEmpty)
    }

    @Test("of ours, forward past the end of a grant: it is withdrawn at the next look, not after an hour")
    func grantEnds() async throws {
        let fixture = try await LoopFixture.converged()
        let start = try Timestamp("2026-01-01T00:00:00Z")
        let limits = try GrantLimits(notAfter: Timestamp(seconds: start.seconds + 3600))
        let draft = RemediationDraft(.hostAdded(SampleManifest.host("a.example")), limits: limits, reason: "because")
        let repository = try await fixture.installation().repository
        _ = try await repository.commit(remediation: draft, for: SampleManifest.identity, at: start)
        _ = try await fixture.run()
        let clock = SettableClock(start)
        let faulty = FaultyEngine(fixture.engine)
        let passes = Mutex(0)
        let controller = try await controller(fixture, clock, on: faulty) {
            if case .ended = $0 { passes.withLock { $0 += 1 } }
        }
        let path = "remediations/dev/0001-add-host-a-example.yaml"
        try await controller.whileRunning {
            try await eventually("it has looked at the bottle, and finds nothing more to look at") {
                let before = (passes: passes.withLock { $0 }, lists: await faulty.faults.calls["containers"] ?? 0)
                try await eventually("five looks at the lists") {
                    await faulty.faults.calls["containers"] ?? 0 >= before.lists + 5
                }
                return before.passes > 0 && passes.withLock { $0 } == before.passes
            }
            #expect(try await repository.snapshot().others[path] != nil)
            clock.jump(7200)
            try await eventually("it is withdrawn") { try await repository.snapshot().others[path] == nil }
        }
    }

    @Test("of ours, back by a year: drift is healed as ever, and what is granted stays")
    func yearBack() async throws {
        let fixture = try await LoopFixture.converged()
        let start = try Timestamp("2026-01-01T00:00:00Z")
        let limits = try GrantLimits(notAfter: Timestamp(seconds: start.seconds + 3600))
        let draft = RemediationDraft(.hostAdded(SampleManifest.host("a.example")), limits: limits, reason: "because")
        let repository = try await fixture.installation().repository
        _ = try await repository.commit(remediation: draft, for: SampleManifest.identity, at: start)
        let clock = SettableClock(start)
        let controller = try await controller(fixture, clock)
        try await controller.whileRunning {
            try await eventually("the grant is in force") {
                try await fixture.status()?.observedRevision == repository.head()
            }
            clock.jump(-365 * 86_400)
            for _ in 0..<2 {
                try await fixture.engine.change { try $0.exit(Self.wall, code: 1) }
                try await eventually("it runs again") {
                    try await fixture.engine.container(Self.wall).state.isRunning
                }
            }
            #expect(try await repository.snapshot().others["remediations/dev/0001-add-host-a-example.yaml"] != nil)
        }
    }

    private func controller(
        _ fixture: LoopFixture,
        _ clock: SettableClock,
        on engine: (any EngineWriting)? = nil,
        report: @escaping @Sendable (ControllerReport) -> Void = { _ in }
    ) async throws -> Controller {
        Controller(
            try await fixture.installation(engine),
            pace: ControllerPace(interval: .milliseconds(50), sweep: .seconds(600)),
            time: TimeSource(now: { clock.now }),
            report: report
        )
    }
}

/// A wall clock that stands until it is set.
private final class SettableClock: Sendable {
    private let seconds: Mutex<Int64>

    init(_ start: Timestamp) { seconds = Mutex(start.seconds) }

    var now: Timestamp { seconds.withLock { Timestamp(seconds: $0) } }

    func jump(_ by: Int64) { seconds.withLock { $0 += by } }
}
