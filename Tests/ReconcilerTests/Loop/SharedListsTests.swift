import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime
import Synchronization
import Testing

/// Passes that use the engine's lists together.
@Suite("Lists of the engine that passes share")
struct SharedListsTests {
    private let before = ContinuousClock.now

    private func pass(
        _ fixture: LoopFixture,
        _ inventories: InventoryCache,
        since: ContinuousClock.Instant
    ) async throws -> PassResult {
        var pass = try await fixture.pass()
        pass.inventories = .init(cache: inventories, since: since)
        return try await pass.run(mayEndAgent: true)
    }

    private func lostNetwork(_ fixture: LoopFixture) async throws {
        try await fixture.engine.change { world in
            for role in ["egress-proxy", "firewall"] {
                try world.disconnect(network: "bottle-dev-link", container: "bottle-dev-\(role)", force: true)
            }
            try world.removeNetwork("bottle-dev-link")
        }
    }

    /// A second network of the same name, as a process leaves that was killed while it made the first: no look at
    /// anything but the lists shows it.
    private func twinNetwork(_ fixture: LoopFixture) async throws {
        try await fixture.engine.change { world in
            let first = try world.network("bottle-dev-link")
            _ = try world.createNetwork(
                NetworkCreate(name: first.name, checkDuplicate: false, isInternal: true, labels: first.labels)
            )
        }
    }

    private let twinRemoved = ["remove network/link not-desired"]

    @Test("are never from before what the pass is for")
    func tooOld() async throws {
        let fixture = try await LoopFixture.converged()
        let inventories = InventoryCache()
        try await inventories.take(from: fixture.engine)
        #expect(try await pass(fixture, inventories, since: before).performed.isEmpty)
        try await twinNetwork(fixture)
        #expect(try await pass(fixture, inventories, since: before).performed.isEmpty, "the lists of before show none")
        let result = try await pass(fixture, inventories, since: .now)
        #expect(result.error == nil)
        #expect(result.performed.map(\.action.text) == twinRemoved)
        #expect(try await fixture.plan().isEmpty)
    }

    @Test("are never from before a wait for the bottle's lock: its last holder may have changed the engine")
    func lockWaitedFor() async throws {
        let fixture = try await LoopFixture.converged()
        let inventories = InventoryCache()
        try await inventories.take(from: fixture.engine)
        var other: FileLock.Held? = try await fixture.installation().state.lock(of: SampleManifest.identity).acquire()
        let (waits, wait) = AsyncStream<Void>.makeStream()
        var pass = BottlePass(
            SampleManifest.identity,
            in: try await fixture.installation(),
            time: TimeSource(now: { LoopFixture.now }),
            report: { if case .waiting = $1 { wait.finish() } }
        )
        pass.inventories = .init(cache: inventories, since: before)
        let result = try await withThrowingTaskGroup(of: PassResult.self) { [pass] group in
            group.addTask {
                defer { wait.finish() }
                return try await pass.run(mayEndAgent: true)
            }
            for await _ in waits {}
            try await twinNetwork(fixture)
            extendLifetime(other)
            other = nil
            let result = try await group.next()
            return try #require(result)
        }
        #expect(result.performed.map(\.action.text) == twinRemoved)
        #expect(try await fixture.plan().isEmpty)
    }

    @Test("only ever say that nothing is to be done: what they say is missing is looked for again")
    func mended() async throws {
        let fixture = try await LoopFixture.converged()
        let whole = await fixture.engine.world
        try await lostNetwork(fixture)
        let inventories = InventoryCache()
        try await inventories.take(from: fixture.engine)
        await fixture.engine.change { $0 = whole }
        let result = try await pass(fixture, inventories, since: before)
        #expect(result.error == nil)
        #expect(result.performed.isEmpty && result.drift.isEmpty)
    }

    @Test("are good for a while only")
    func lifetime() async throws {
        let engine = MemoryEngine()
        let inventories = InventoryCache(lifetime: .zero)
        try await inventories.take(from: engine)
        #expect(inventories.inventory(since: before) == nil)
    }

    @Test("are taken a few times by a controller, however many bottles it sweeps", arguments: [2, 12])
    func sweep(_ count: Int) async throws {
        let fixture = try await LoopFixture.converged()
        for number in 1..<count {
            let identity = try Identity("more-\(number)")
            try await fixture.commit(SampleManifest.edited { $0.identity = identity })
        }
        let installation = try await fixture.installation()
        let time = TimeSource(now: { LoopFixture.now })
        #expect(try await OneShotRun(installation, concurrency: 4, time: time, report: { _ in }).run())

        let faulty = FaultyEngine(fixture.engine)
        let passes = Mutex(0)
        let controller = Controller(
            try await fixture.installation(faulty),
            pace: ControllerPace(interval: .seconds(600), sweep: .milliseconds(500)),
            time: time,
            report: { if case .ended = $0 { passes.withLock { $0 += 1 } } }
        )
        try await controller.whileRunning {
            try await eventually("it has swept ten times") { passes.withLock { $0 } >= 10 * count }
        }
        let lists = await faulty.faults.calls
        // One a sweep, and at the start one for each of the passes that begin at once; where passes are slow, two sweeps
        // ask for one pass.
        #expect(lists["containers"] ?? 0 <= max(40, passes.withLock { $0 } / 2), "\(lists)")
        #expect(lists["networks"] == lists["containers"] && lists["volumes"] == lists["containers"])
        #expect(lists["container"] ?? 0 >= 10 * count, "each is looked at all the same")
    }
}
