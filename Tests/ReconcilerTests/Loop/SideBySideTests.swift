import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerManifest
import ReconcilerModel
import ReconcilerState
import ReconcilerTime
import Testing

@Suite("Bottles side by side")
struct SideBySideTests {
    @Test("a bottle whose image takes its time and never comes holds up no other, also not a new one")
    func missingImage() async throws {
        // The images that come with the program are there.
        let fixture = try await LoopFixture.converged()
        let image = try ImageReference("registry.example/agent:never")
        var stuck = SampleManifest.edited { $0.agent.image = .reference(image) }
        stuck.identity = try Identity("stuck")
        var new = SampleManifest.routed
        new.identity = try Identity("new")
        try await fixture.commit(stuck)
        try await fixture.commit(new)

        let (asked, ask) = AsyncStream<Void>.makeStream()
        let (released, release) = AsyncStream<Void>.makeStream()
        let engine = FaultyEngine(fixture.engine)
        let waiting: @Sendable () async throws -> Void = {
            ask.finish()
            for await _ in released {}
        }
        let refusal = EngineError.http(.init(status: 404, method: "POST", path: "", message: "no such luck"))
        await engine.faults.add(.meet(waiting, refusal)) { $0.name == "pull" }
        let installation = try await fixture.installation(engine)
        let stuckPass = Task {
            try await BottlePass(
                stuck.identity,
                in: installation,
                time: TimeSource(now: { LoopFixture.now }),
                report: { _, _ in }
            )
            .run(mayEndAgent: true)
        }
        for await _ in asked {}

        let (waits, wait) = AsyncStream<String>.makeStream()
        let result = try await BottlePass(new.identity, in: installation, time: TimeSource(now: { LoopFixture.now })) {
            guard case .waiting(let holder) = $1 else { return }
            wait.yield(holder)
            release.finish()
        }.run(mayEndAgent: true)
        wait.finish()
        release.finish()
        let failed = try await stuckPass.value

        guard case .converged = result.outcome else { throw LoopFixture.NotConverged(result: result) }
        #expect(await waits.reduce(into: []) { $0.append($1) } == [])
        #expect(failed.error?.cause?.contains("no such luck") == true)
        let status = try installation.statuses.load(stuck.identity)
        #expect(status?[.degraded]?.status == .true)
        #expect(status?[.degraded]?.message.contains("no such luck") == true)
    }

    @Test("of twenty, 19 come up and are healed while one waits for an image that then can't be had; it says why")
    func amongTwenty() async throws {
        let fixture = try await LoopFixture.fresh()
        let stuck = try Identity("a-first")
        let others = try (1...19).map { try Identity("b-\($0)") }
        let image = try ImageReference("registry.example/agent:never")
        var first = SampleManifest.edited { $0.agent.image = .reference(image) }
        first.identity = stuck
        let manifests = [first] + others.map { identity in SampleManifest.edited { $0.identity = identity } }
        let changes = manifests.map {
            (DesiredRepository.path(of: $0.identity), DesiredChange.write(ManifestDocument.yaml(of: $0)))
        }
        let repository = try await fixture.installation().repository
        _ = try await repository.commit(Dictionary(uniqueKeysWithValues: changes), message: "apply")

        let (asked, ask) = AsyncStream<Void>.makeStream()
        let (released, release) = AsyncStream<Void>.makeStream()
        defer { release.finish() }
        let engine = FaultyEngine(fixture.engine)
        let waiting: @Sendable () async throws -> Void = {
            ask.finish()
            for await _ in released {}
        }
        let refusal = EngineError.http(.init(status: 404, method: "POST", path: "", message: "no such luck"))
        await engine.faults.add(.meet(waiting, refusal), times: 1000) { $0.name == "pull" }
        let installation = try await fixture.installation(engine)
        let controller = Controller(
            installation,
            pace: ControllerPace(),
            time: TimeSource(now: { LoopFixture.now }),
            report: { _ in }
        )
        func converged() throws -> Set<Identity> {
            Set(try installation.statuses.loadAll().filter { $0.value[.ready]?.status == .true }.keys)
        }
        try await controller.whileRunning {
            for await _ in asked {}
            try await eventually("the others are there") { try converged() == Set(others) }
            let firewall = "bottle-\(others[18])-firewall"
            try await fixture.engine.change { try $0.remove(firewall, force: true) }
            try await eventually("one of them is healed") {
                await fixture.engine.world.containers.values.contains { $0.name == firewall && $0.isRunning }
            }
            release.finish()
            try await eventually("it says why") {
                let degraded = try installation.statuses.load(stuck)?[.degraded]
                return degraded?.status == .true && degraded?.message.contains("no such luck") == true
            }
        }
        #expect(try converged() == Set(others))
    }
}
