import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerState
import ReconcilerTime
import Synchronization
import Testing

/// What `bottle run --once` does: a round over everything, and its end.
@Suite("One round over every bottle")
struct FullRoundTests {
    private static let now = SampleManifest.known(try Timestamp("2026-01-01T00:00:00Z"))

    /// What a round told, and whether all came to its end.
    private func round(
        _ fixture: LoopFixture,
        on engine: (any EngineWriting)? = nil,
        secondsPerPass: Int64 = 0
    ) async throws -> (isWhole: Bool, told: [String]) {
        let told = Mutex<[String]>([])
        let clock = Mutex(Self.now.seconds - secondsPerPass)
        let round = OneShotRun(
            try await fixture.installation(engine),
            concurrency: 3,
            time: TimeSource(now: { clock.withLock { Timestamp(seconds: $0) } }),
            report: { report in
                switch report {
                case .began: clock.withLock { $0 += secondsPerPass }
                case .ended(let result): told.withLock { $0.append("\(result.identity) \(result.outcome.word)") }
                case .removed(let bottle, _, let isComplete):
                    told.withLock { $0.append("\(bottle) \(isComplete ? "removed" : "not removed")") }
                case .failed(let bottle, _, let error): told.withLock { $0.append("\(bottle) \(error.code)") }
                default: break
                }
            }
        )
        return (try await round.run(), told.withLock { $0 }.sorted())
    }

    private func bottle(_ name: String) -> BottleManifest {
        let identity = SampleManifest.known(try Identity(name))
        return SampleManifest.edited { $0.identity = identity }
    }

    @Test("finishes a deletion of which only the commit was made, beside a bottle that it heals")
    func deletion() async throws {
        let fixture = try await LoopFixture.converged()
        try await fixture.commit(bottle("other"))
        #expect(try await round(fixture) == (true, ["dev converged", "other converged"]))
        try await fixture.uncommit()
        try await fixture.engine.change { try $0.remove("bottle-other-firewall", force: true) }
        #expect(try await round(fixture) == (true, ["dev removed", "other converged"]))
        let left = await fixture.engine.world.containers.values.map(\.name).sorted()
        #expect(left == ["bottle-other-agent", "bottle-other-egress-proxy", "bottle-other-firewall"])
        #expect(try await fixture.record() == nil)
        #expect(try await round(fixture) == (true, ["other converged"]))
    }

    @Test("is not whole while something of a deleted bottle stays, and is at the next")
    func refusedDeletion() async throws {
        let fixture = try await LoopFixture.converged()
        try await fixture.uncommit()
        let faulty = FaultyEngine(fixture.engine)
        let refusal = EngineError.http(.init(status: 500, method: "DELETE", path: "", message: "device busy"))
        await faulty.faults.add(.refuse(refusal)) { $0.name == "removeVolume" }
        #expect(try await round(fixture, on: faulty) == (false, ["dev not removed"]))
        #expect(try await round(fixture) == (true, ["dev removed"]))
        #expect(await fixture.engine.world.volumes.isEmpty)
    }

    @Test("gives its pass to a bottle that is applied again while it is being removed")
    func appliedAgain() async throws {
        let fixture = try await LoopFixture.converged()
        try await fixture.uncommit()
        let faulty = FaultyEngine(fixture.engine)
        await faulty.faults.add(.follow { try await fixture.commit(SampleManifest.routed) }) {
            $0.name == "removeNetwork"
        }
        #expect(try await round(fixture, on: faulty) == (true, ["dev converged", "dev removed"]))
        #expect(try await fixture.record()?.converged != nil)
        #expect(try await fixture.plan().isEmpty)
    }

    @Test("withdraws by a commit what has ended, and leaves the bottle converged at that commit")
    func withdrawal() async throws {
        let fixture = try await LoopFixture.converged()
        let end = Timestamp(seconds: Self.now.seconds - 60)
        let draft = RemediationDraft(
            .hostAdded(SampleManifest.host("a.example")),
            limits: try GrantLimits(notAfter: end),
            reason: "because"
        )
        let repository = try await fixture.installation().repository
        _ = try await repository.commit(
            remediation: draft,
            for: SampleManifest.identity,
            at: Timestamp(seconds: Self.now.seconds - 600)
        )
        #expect(try await round(fixture) == (true, ["dev converged", "dev converged"]))
        #expect(try await repository.snapshot().others["remediations/dev/0001-add-host-a-example.yaml"] == nil)
        #expect(try await fixture.status()?.observedRevision == repository.head())
        #expect(try await round(fixture) == (true, ["dev converged"]))
    }

    @Test("is not whole when something ends during each of its passes: the last commit has had none")
    func endsAgainAndAgain() async throws {
        let fixture = try await LoopFixture.converged()
        let repository = try await fixture.installation().repository
        for (number, host) in ["a.example", "b.example", "c.example"].enumerated() {
            let end = Timestamp(seconds: Self.now.seconds + Int64(number) * 1000 - 1)
            let limits = try GrantLimits(notAfter: end)
            _ = try await repository.commit(
                remediation: RemediationDraft(.hostAdded(SampleManifest.host(host)), limits: limits, reason: "because"),
                for: SampleManifest.identity,
                at: Timestamp(seconds: Self.now.seconds - 600)
            )
        }
        let passes = ["dev converged", "dev converged", "dev converged"]
        #expect(try await round(fixture, secondsPerPass: 1000) == (false, passes))
        #expect(try await fixture.status()?.observedRevision != repository.head())
        #expect(try await round(fixture) == (true, ["dev converged"]))
        #expect(try await fixture.status()?.observedRevision == repository.head())
    }

    @Test("goes on beside a bottle that fails, and is not whole")
    func failure() async throws {
        let fixture = try await LoopFixture.converged()
        let image = try ImageReference("registry.example/agent:never")
        var stuck = bottle("another")
        stuck.agent.image = .reference(image)
        try await fixture.commit(stuck)
        try await fixture.engine.change { try $0.remove("bottle-dev-firewall", force: true) }
        #expect(try await round(fixture) == (false, ["another retry", "dev converged"]))
    }

    @Test("touches nothing of a bottle that no revision ever had, and is not whole")
    func lost() async throws {
        let fixture = try await LoopFixture.converged()
        let other = try Identity("other")
        try await fixture.installation().records.save(
            BottleRecord(identity: other, installation: fixture.installation().state.installation),
            for: other
        )
        #expect(try await round(fixture) == (false, ["dev converged", "other stalled"]))
        #expect(try await fixture.installation().records.load(other) != nil)
    }

    @Test("takes the engine's lists once, however many bottles have nothing to do", arguments: [1, 5, 12])
    func lists(_ count: Int) async throws {
        let fixture = try await LoopFixture.converged()
        for number in 1..<max(count, 2) where count > 1 { try await fixture.commit(bottle("more-\(number)")) }
        #expect(try await round(fixture).isWhole)
        let faulty = FaultyEngine(fixture.engine)
        let whole = try await round(fixture, on: faulty)
        #expect(whole.told.count == count && whole.isWhole)
        let lists = await faulty.faults.calls.filter { ["containers", "networks", "volumes"].contains($0.key) }
        #expect(lists == ["containers": 1, "networks": 1, "volumes": 1])
    }
}
