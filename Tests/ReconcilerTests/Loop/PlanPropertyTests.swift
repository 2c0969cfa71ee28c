import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import SeededRandom
import Testing

/// What holds for every plan, tried on random bottles, edits and damage; a failure names its seed.
@Suite("properties of plans", .timeLimit(.minutes(5)))
struct PlanPropertyTests {
    private struct Broken: Error, CustomStringConvertible {
        var seed: UInt64
        var story: [String]
        var what: String
        var description: String { "seed \(seed): \(what)\n" + story.joined(separator: "\n") }
    }

    /// Random bottles that have converged: each is brought up once, and forked for every case that begins with it.
    private actor Bottles {
        static let shared = Bottles()
        private var made: [UInt64: PlanFixture] = [:]

        private func converged(_ seed: UInt64) async throws -> PlanFixture {
            if let bottle = made[seed] { return await bottle.fork() }
            var draw = Draw(seed: seed)
            let bottle = try await PlanFixture.converged(draw.manifest())
            made[seed] = bottle
            return await bottle.fork()
        }

        static func any(_ draw: inout Draw) async throws -> PlanFixture {
            try await shared.converged(UInt64.random(in: 0..<100, using: &draw.rng))
        }
    }

    /// One random case: what is wrong in it, or nil.
    private typealias Property = @Sendable (inout PlanFixture, inout Draw) async throws -> String?

    /// A converged bottle, then random edits and damage.
    private static func fixture(_ draw: inout Draw, edits: Int, story: inout [String]) async throws -> PlanFixture {
        var fixture = try await Bottles.any(&draw)
        for _ in 0..<Int.random(in: 0...4, using: &draw.rng) {
            let damage = draw.rng.pick(Damage.all(for: fixture.manifest))
            // The engine refuses some damage after other damage.
            if (try? await fixture.suffer(damage)) == true { story.append("\(damage)") }
            if draw.rng.oneIn(4) {
                try await fixture.end(.agent, exitCode: draw.rng.pick([0, 1, 137]))
                story.append("the agent ended")
            }
        }
        for _ in 0..<edits {
            var manifest = fixture.manifest
            try draw.change(&manifest)
            guard manifest != fixture.manifest else { continue }
            fixture.edit { $0 = manifest }
            story.append("edit")
        }
        return fixture
    }

    private static func failure(_ seed: UInt64, edits: Int, _ property: Property) async -> Broken? {
        var story: [String] = []
        var draw = Draw(seed: seed)
        do {
            var fixture = try await fixture(&draw, edits: edits, story: &story)
            guard let what = try await property(&fixture, &draw) else { return nil }
            return Broken(seed: seed, story: story, what: what)
        } catch {
            return Broken(seed: seed, story: story, what: "\(error)")
        }
    }

    /// Tries a property once with each seed, a few side by side: an engine waits now and then.
    ///
    /// After a failure no further case begins; those that have begun go on to their end.
    private func run(_ seeds: Range<UInt64>, edits: Int = 3, _ property: @escaping Property) async {
        await withTaskGroup(of: Broken?.self) { group in
            var left = Array(seeds)[...]
            func next() {
                guard let seed = left.popFirst() else { return }
                group.addTask { await Self.failure(seed, edits: edits, property) }
            }
            for _ in 0..<4 { next() }
            for await failure in group {
                if let failure {
                    Issue.record(failure)
                    left.removeAll()
                }
                next()
            }
        }
    }

    /// What a sidecar was started with and should not have been; nil: each runs with the files it should.
    private static func wrongStart(_ fixture: inout PlanFixture) async throws -> String? {
        for wanted in try await fixture.desired().containers where wanted.role != .agent {
            guard let container = await fixture.container(wanted.role) else { return "no \(wanted.role.rawValue)" }
            for file in wanted.files where !file.isReloadable && !container.began(with: file) {
                return "\(wanted.role.rawValue) runs with another \(file.path)"
            }
        }
        return nil
    }

    @Test("planning again after performing, in any order the plan allows, gives an empty plan")
    func converges() async {
        await run(0..<400) { fixture, draw in
            let first = try await fixture.plan()
            let hadImages = !first.actions.contains { if case .image = $0.object { true } else { false } }
            let plans = try await fixture.converge(rounds: hadImages ? 1 : 3, using: &draw.rng)
            let planned = try await fixture.planned()
            for wanted in planned.desired.containers where wanted.role != .agent {
                let sidecar = planned.observed.containers.first { $0.name == wanted.name }
                guard let sidecar, sidecar.loaded?.inForce == wanted.generation else {
                    let texts = plans.map(\.text).joined(separator: "\n--\n")
                    return "\(wanted.role.rawValue) has not what it should\n\(texts)"
                }
            }
            return try await Self.wrongStart(&fixture)
        }
    }

    @Test("a run that is killed at any call is finished by the next one, and loses nothing")
    func survivesKills() async {
        await run(10_000..<10_400) { fixture, draw in
            for _ in 0..<Int.random(in: 1...3, using: &draw.rng) {
                let calls = Int.random(in: 0...24, using: &draw.rng)
                try await fixture.perform(fixture.planned(), killedAfter: calls, using: &draw.rng)
            }
            _ = try await fixture.converge(rounds: 4, using: &draw.rng)
            return try await Self.wrongStart(&fixture)
        }
    }

    @Test("no prefix of a plan gives the agent a way out that neither the rules in force nor the wanted ones allow")
    func opensNothing() async {
        await run(60_000..<62_000, edits: 2) { fixture, draw in
            for _ in 0..<4 {
                let planned = try await fixture.planned()
                // Throws at the first call that does.
                try await fixture.perform(planned, using: &draw.rng)
                if planned.plan.isEmpty || planned.plan.findings.contains(where: \.blocks) { return nil }
            }
            return nil
        }
    }

    @Test("the same input gives the same plan, whatever the order of what is observed")
    func deterministic() async {
        await run(20_000..<20_300) { fixture, draw in
            let planned = try await fixture.planned()
            var mixed = planned.observed
            mixed.containers.shuffle(using: &draw.rng)
            mixed.networks.shuffle(using: &draw.rng)
            mixed.volumes.shuffle(using: &draw.rng)
            for index in mixed.containers.indices { mixed.containers[index].endpoints.shuffle(using: &draw.rng) }
            let again = Planner.plan(desired: planned.desired, observed: mixed, record: fixture.record)
            return planned.plan == again ? nil : "\(planned.plan.text)\n--\n\(again.text)"
        }
    }

    @Test("every action waits only for earlier ones, names only what is ours, and the agent joins only its network")
    func wellFormed() async {
        await run(30_000..<30_300) { fixture, _ in
            let labels = Labels.of(
                SampleManifest.identity,
                role: "agent",
                installation: SampleManifest.otherInstallation
            )
            try await fixture.engine.change { world in
                let config = ContainerConfig(image: SampleEngine.base, labels: labels)
                _ = try world.createContainer(name: "bottle-dev-supervise", ContainerCreate(config: config))
            }
            let planned = try await fixture.planned()
            let (plan, observed) = (planned.plan, planned.observed)
            let installation = SampleManifest.installation.text
            let containers = observed.containers.filter { $0.labels[Labels.installation] == installation }.map(\.id)
            let networks = observed.networks.filter { $0.labels[Labels.installation] == installation }.map(\.id)
            for (index, action) in plan.actions.enumerated() {
                guard (action.after + action.startsAfter).allSatisfy({ (0..<index).contains($0) }) else {
                    return "\(index) waits for a later one\n\(plan.text)"
                }
                if let container = action.container, !containers.contains(container) {
                    return "touches \(container)\n\(plan.text)"
                }
                if action.verb == .remove, let network = action.networkID, !networks.contains(network) {
                    return "removes \(network)\n\(plan.text)"
                }
                if action.verb == .remove, case .volume(let name) = action.object,
                    !observed.volumes.contains(where: { $0.name == name })
                {
                    return "removes \(name)\n\(plan.text)"
                }
                if action.object == .container(.agent), action.verb == .connect, action.network != .internal {
                    return "the agent is given a way out\n\(plan.text)"
                }
                if action.verb == .remove, case .volume(let name) = action.object, name == "bottle-dev-home" {
                    return "the agent's work is removed"
                }
            }
            return nil
        }
    }

    @Test("only containers that really differ are removed, and a living agent only after an edit of it")
    func minimal() async {
        await run(40_000..<40_300) { fixture, _ in
            let planned = try await fixture.planned()
            let (plan, observed) = (planned.plan, planned.observed)
            for wanted in planned.desired.containers {
                guard let container = observed.containers.first(where: { $0.name == wanted.name }) else { continue }
                let isRemoved = plan.actions.contains { $0.verb == .remove && $0.container == container.id }
                let isStranded = container.endpoints.contains { $0.networkID.flatMap(observed.network(id:)) == nil }
                let differs =
                    container.specHash != wanted.specHash || container.state == .dead
                    || container.confinement?.meets(wanted.spec) != true
                    || (isStranded && !container.isLiving)
                if isRemoved && !differs { return "removes \(wanted.role.rawValue)\n\(plan.text)" }
                guard wanted.role == .agent, container.isLiving else { continue }
                let isEnded = plan.actions.contains {
                    $0.object == .container(.agent) && [.stop, .remove, .restart].contains($0.verb)
                }
                if isEnded && fixture.record.agentIntent == wanted.intentHash.text {
                    return "ends a living agent\n\(plan.text)"
                }
            }
            return nil
        }
    }

    @Test(
        "without an edit every damage is told as drift",
        arguments: [SampleManifest.routed, SampleManifest.unrouted, SampleManifest.unwalled]
    )
    func tellsDrift(_ manifest: BottleManifest) async throws {
        let converged = try await PlanFixture.converged(manifest)
        for damage in Damage.all(for: manifest) {
            var fixture = await converged.fork()
            guard try await fixture.suffer(damage) else { continue }
            let plan = try await fixture.plan()
            #expect(!plan.drift.isEmpty, "\(damage):\n\(plan.text)")
        }
    }

    @Test("an edit alone is no drift, and neither is a bottle that never converged")
    func editsAreNoDrift() async {
        await run(50_000..<50_400, edits: 0) { _, draw in
            var fixture = try await Bottles.any(&draw)
            var manifest = fixture.manifest
            for _ in 0..<3 { try draw.change(&manifest) }
            fixture.edit { $0 = manifest }
            let plan = try await fixture.plan()
            guard plan.drift.allSatisfy({ "\($0.object)".hasPrefix("image/") }) else { return plan.text }
            var fresh = try PlanFixture(manifest)
            let first = try await fresh.plan()
            return first.drift.isEmpty ? nil : first.text
        }
    }
}
