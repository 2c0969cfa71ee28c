import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerManifest
import ReconcilerModel
import ReconcilerState
import ReconcilerTime
import Synchronization
import Testing

/// Passes that wait for an image ask nothing of the engine, and hold up no pass that needs none.
@Suite("Bottles that wait for images", .serialized)
struct ImageWaitTests {
    private static let tenth = SampleManifest.identity
    private static let nine = SampleManifest.known(try (1...9).map { try Identity("a-\($0)") })

    /// An engine whose pulls take until they are let go.
    private struct SlowRegistry: Sendable {
        let fixture: LoopFixture
        let engine: FaultyEngine
        private let pulls = Held()

        private final class Held: Sendable {
            let state = Mutex((now: 0, most: 0, isOpen: false))
        }

        /// With the tenth bottle converged, and the nine that want an image of the registry committed.
        init(image: (Identity) throws -> String) async throws {
            fixture = try await LoopFixture.converged()
            engine = FaultyEngine(fixture.engine)
            let agent = try #require(await fixture.engine.world.findImage("bottle/agent"))
            var changes: [String: DesiredChange] = [:]
            for bottle in nine {
                let reference = try ImageReference(try image(bottle))
                await fixture.engine.change { $0.registry[reference.text] = agent }
                let manifest = SampleManifest.edited {
                    $0.identity = bottle
                    $0.agent.image = .reference(reference)
                }
                changes[DesiredRepository.path(of: bottle)] = .write(ManifestDocument.yaml(of: manifest))
            }
            _ = try await fixture.installation().repository.commit(changes, message: "apply")
            let pulls = pulls
            await engine.faults.add(
                .follow {
                    pulls.state.withLock {
                        $0.now += 1
                        $0.most = max($0.most, $0.now)
                    }
                    defer { pulls.state.withLock { $0.now -= 1 } }
                    while !pulls.state.withLock({ $0.isOpen }) { try await Task.sleep(for: .milliseconds(5)) }
                },
                times: .max
            ) { $0.name == "pull" }
        }

        /// How many pulls go on, and how many did at most.
        var counts: (now: Int, most: Int) { pulls.state.withLock { ($0.now, $0.most) } }
        /// How many were ever asked for.
        var asked: Int { get async { await engine.faults.calls["pull"] ?? 0 } }

        func letGo() { pulls.state.withLock { $0.isOpen = true } }

        func ready() throws -> Set<Identity> {
            let state = try StateFolder.create(fixture.state)
            let statuses = JSONStore<BottleStatus>(folder: state.status, noun: "status")
            return Set(try statuses.loadAll().filter { $0.value[.ready]?.status == .true }.keys)
        }
    }

    private static func controller(
        _ registry: SlowRegistry,
        report: @escaping @Sendable (ControllerReport) -> Void = { _ in }
    ) async throws -> Controller {
        Controller(
            try await registry.fixture.installation(registry.engine),
            pace: ControllerPace(sweep: .seconds(600)),
            time: TimeSource(now: { LoopFixture.now }),
            report: report
        )
    }

    /// The tenth bottle's edit is in force: its firewall was made to load another list.
    private func reloadsTenth(_ registry: SlowRegistry) async throws {
        let host = SampleManifest.host("new.example.org")
        try await registry.fixture.commit(SampleManifest.edited { $0.egress.allowlist.append(host) })
        try await eventually("the tenth has reloaded") {
            let signals = await registry.engine.faults.mutations.filter { $0.name == "kill" }
            guard signals.contains(where: { $0.target.contains("bottle-dev-firewall") }) else { return false }
            return try await registry.fixture.plan(of: Self.tenth).isEmpty
        }
    }

    @Test("are nine for one: a tenth is reloaded meanwhile, and the nine come up by one pull", .timeLimit(.minutes(5)))
    func oneImage() async throws {
        let registry = try await SlowRegistry { _ in "registry.example/agent:slow" }
        let begun = Mutex<Set<Identity>>([])
        let controller = try await Self.controller(registry) { report in
            if case .progress(let bottle, _, .waiting) = report { begun.withLock { _ = $0.insert(bottle) } }
        }
        try await controller.whileRunning {
            try await eventually("one pulls and eight wait for it") { begun.withLock { $0.count } == 8 }
            try await reloadsTenth(registry)
            #expect(registry.counts.now == 1)
            registry.letGo()
            try await eventually("the nine are there") { try registry.ready().isSuperset(of: Self.nine) }
        }
        #expect(await registry.asked == 1)
        #expect(await registry.fixture.engine.violations.isEmpty)
    }

    @Test("are nine for nine: eight pulls at once, no more, and a tenth is reloaded meanwhile", .timeLimit(.minutes(5)))
    func ownImages() async throws {
        let registry = try await SlowRegistry { "registry.example/\($0):slow" }
        try await Self.controller(registry).whileRunning {
            try await eventually("eight pull") { registry.counts.now == 8 }
            try await reloadsTenth(registry)
            registry.letGo()
            try await eventually("the nine are there") { try registry.ready().isSuperset(of: Self.nine) }
        }
        #expect(registry.counts.most == 8)
        #expect(await registry.asked == 9)
        #expect(await registry.fixture.engine.violations.isEmpty)
    }

    @Test("and have not begun a pull when the controller stops begin none; those under way come up")
    func stop() async throws {
        let registry = try await SlowRegistry { "registry.example/\($0):slow" }
        let begun = Mutex<Set<Identity>>([])
        let controller = try await Self.controller(registry) { report in
            switch report {
            case .progress(let bottle, _, .began): begun.withLock { _ = $0.insert(bottle) }
            case .stopping: registry.letGo()
            default: break
            }
        }
        try await controller.whileRunning {
            try await eventually("eight pull, the ninth has begun") {
                registry.counts.now == 8 && begun.withLock { $0.isSuperset(of: Self.nine) }
            }
        }
        #expect(await registry.asked == 8)
        #expect(try registry.ready().intersection(Self.nine).count == 8)
        // What it left is finished by the next one.
        try await Self.controller(registry).whileRunning {
            try await eventually("the ninth is there") { try registry.ready().isSuperset(of: Self.nine) }
        }
    }

    @Test("do not keep the task of a controller that is cancelled", .timeLimit(.minutes(5)), arguments: [true, false])
    func cancelled(isOneImage: Bool) async throws {
        let registry = try await SlowRegistry { isOneImage ? "registry.example/agent" : "registry.example/\($0)" }
        let controller = try await Self.controller(registry)
        let running = Task { try await controller.run() }
        try await eventually("pulls go on") { registry.counts.now == (isOneImage ? 1 : 8) }
        running.cancel()
        await #expect(throws: CancellationError.self) { try await running.value }
        #expect(registry.counts.now == 0)
    }

    @Test("hold up no other bottle in a one-shot run, either", .timeLimit(.minutes(5)))
    func round() async throws {
        let registry = try await SlowRegistry { _ in "registry.example/agent:slow" }
        let round = OneShotRun(
            try await registry.fixture.installation(registry.engine),
            concurrency: 2,
            time: TimeSource(now: { LoopFixture.now }),
            report: { report in
                if case .ended(let result) = report, result.identity == Self.tenth { registry.letGo() }
            }
        )
        #expect(try await round.run())
        #expect(await registry.asked == 1)
        #expect(try registry.ready() == Set(Self.nine + [Self.tenth]))
    }
}
