import ReconcilerModel
import Testing

/// What holds for every plan, tried on random bottles, edits and damage; a failure names its seed.
@Suite("properties of plans")
struct PlannerPropertyTests {
    private struct Broken: Error, CustomStringConvertible {
        var seed: UInt64
        var story: [String]
        var what: String
        var description: String { "seed \(seed): \(what)\n" + story.joined(separator: "\n") }
    }

    /// A converged world, then random edits and damage.
    private func world(_ draw: inout Draw, edits: Int, story: inout [String]) throws -> World {
        var world = try World.converged(draw.manifest())
        for _ in 0..<Int.random(in: 0...4, using: &draw.rng) {
            if let damage = try draw.damage(&world) { story.append("\(damage)") }
            if draw.rng.oneIn(4) {
                world.end(.agent, exitCode: draw.rng.pick([0, 1, 137]))
                story.append("the agent ended")
            }
        }
        guard edits > 0 else { return world }
        for _ in 0..<edits {
            var manifest = world.manifest
            try draw.change(&manifest)
            guard manifest != world.manifest else { continue }
            world.edit { $0 = manifest }
            story.append("edit")
        }
        return world
    }

    private func run(_ seeds: Range<UInt64>, edits: Int = 3, _ body: (inout World, inout Draw) throws -> String?) {
        for seed in seeds {
            var story: [String] = []
            var draw = Draw(seed: seed)
            do {
                var world = try world(&draw, edits: edits, story: &story)
                if let what = try body(&world, &draw) {
                    Issue.record(Broken(seed: seed, story: story, what: what))
                    return
                }
            } catch {
                Issue.record(Broken(seed: seed, story: story, what: "\(error)"))
                return
            }
        }
    }

    @Test("planning again after performing, in any order the plan allows, gives an empty plan")
    func converges() {
        run(0..<400) { world, draw in
            let hadImages = try !world.plan().actions.contains { if case .image = $0.object { true } else { false } }
            let plans = try world.converge(rounds: hadImages ? 1 : 3, using: &draw.rng)
            let desired = try world.desired()
            for wanted in desired.containers where wanted.role != .agent {
                guard let box = world.box(wanted.role), box.loaded?.inForce == wanted.generation else {
                    let texts = plans.map(\.text).joined(separator: "\n--\n")
                    return "\(wanted.role.rawValue) has not what it should\n\(texts)"
                }
                for file in wanted.files where !file.isReloadable && box.atStart[file.path] != file.content {
                    return "\(wanted.role.rawValue) runs with another \(file.path)"
                }
            }
            return nil
        }
    }

    @Test("a run that is killed at any step is finished by the next one, and loses nothing")
    func survivesKills() {
        run(10_000..<10_400) { world, draw in
            for _ in 0..<Int.random(in: 1...3, using: &draw.rng) {
                let desired = try world.desired()
                let plan = Planner.plan(desired: desired, observed: world.observe(desired), record: world.record)
                let steps = Int.random(in: 1...12, using: &draw.rng)
                try world.perform(plan, desired, steps: steps, using: &draw.rng)
            }
            _ = try world.converge(rounds: 4, using: &draw.rng)
            for wanted in try world.desired().containers where wanted.role != .agent {
                guard let box = world.box(wanted.role) else { return "no \(wanted.role.rawValue)" }
                for file in wanted.files where box.atStart[file.path] != file.content && !file.isReloadable {
                    return "\(wanted.role.rawValue) runs with another \(file.path)"
                }
            }
            return nil
        }
    }

    @Test("no prefix of a plan gives the agent a way out that neither the rules in force nor the wanted ones allow")
    func opensNothing() {
        run(60_000..<62_000, edits: 2) { world, draw in
            for _ in 0..<4 {
                let desired = try world.desired()
                let plan = Planner.plan(desired: desired, observed: world.observe(desired), record: world.record)
                // Throws at the first step that does.
                try world.perform(plan, desired, using: &draw.rng)
                guard plan.findings.isEmpty || !plan.findings.contains(where: \.blocks) else { return nil }
            }
            return nil
        }
    }

    @Test("the same input gives the same plan, whatever the order of what is observed")
    func deterministic() {
        run(20_000..<20_300) { world, draw in
            let desired = try world.desired()
            let observed = world.observe(desired)
            var mixed = observed
            mixed.containers.shuffle(using: &draw.rng)
            mixed.networks.shuffle(using: &draw.rng)
            mixed.volumes.shuffle(using: &draw.rng)
            for index in mixed.containers.indices { mixed.containers[index].endpoints.shuffle(using: &draw.rng) }
            let plan = Planner.plan(desired: desired, observed: observed, record: world.record)
            let again = Planner.plan(desired: desired, observed: mixed, record: world.record)
            return plan == again ? nil : "\(plan.text)\n--\n\(again.text)"
        }
    }

    @Test("every action waits only for earlier ones, names only what is ours, and the agent joins only its network")
    func wellFormed() {
        run(30_000..<30_300) { world, _ in
            let labels = Labels.of(Sample.identity, role: "agent", installation: Sample.otherInstallation)
            world.boxes.append(
                .init(
                    shell: ObservedContainer(id: "c-foreign", name: "bottle-dev-supervise", labels: labels),
                    mounts: []
                )
            )
            let plan = try world.plan()
            let targets = Set(
                world.boxes.filter { $0.shell.labels[Labels.installation] == Sample.installation.text }.map(\.shell.id)
                    + world.networks.filter { $0.labels[Labels.installation] == Sample.installation.text }.map(\.id)
                    + world.volumes.map(\.name)
            )
            for (index, action) in plan.actions.enumerated() {
                guard (action.after + action.startsAfter).allSatisfy({ (0..<index).contains($0) }) else {
                    return "\(index) waits for a later one\n\(plan.text)"
                }
                if let target = action.target, !targets.contains(target) { return "touches \(target)\n\(plan.text)" }
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
    func minimal() {
        run(40_000..<40_300) { world, _ in
            let desired = try world.desired()
            let plan = try world.plan()
            for wanted in desired.containers {
                guard let box = world.box(wanted.role) else { continue }
                let isRemoved = plan.actions.contains { $0.verb == .remove && $0.target == box.shell.id }
                let isStranded = box.shell.endpoints.contains { endpoint in
                    !world.networks.contains { $0.id == endpoint.networkID }
                }
                let differs =
                    box.shell.specHash != wanted.specHash || box.shell.state == .dead
                    || box.shell.confinement?.meets(wanted.spec) != true
                    || (isStranded && !box.shell.isLiving)
                if isRemoved && !differs { return "removes \(wanted.role.rawValue)\n\(plan.text)" }
                guard wanted.role == .agent, box.shell.isLiving else { continue }
                let isEnded = plan.actions.contains {
                    $0.object == .container(.agent) && [.stop, .remove, .restart].contains($0.verb)
                }
                if isEnded && world.record.agentIntent == wanted.intentHash.text {
                    return "ends a living agent\n\(plan.text)"
                }
            }
            return nil
        }
    }

    @Test("without an edit every damage is told as drift")
    func tellsDrift() throws {
        for manifest in [Sample.routed, Sample.unrouted, Sample.unwalled] {
            for damage in Damage.all(for: manifest) {
                var world = try World.converged(manifest)
                guard try world.suffer(damage) else { continue }
                let plan = try world.plan()
                #expect(!plan.drift.isEmpty, "\(damage):\n\(plan.text)")
            }
        }
    }

    @Test("an edit alone is no drift, and neither is a bottle that never converged")
    func editsAreNoDrift() {
        for seed in UInt64(50_000)..<50_400 {
            var draw = Draw(seed: seed)
            do {
                var world = try World.converged(draw.manifest())
                var manifest = world.manifest
                for _ in 0..<3 { try draw.change(&manifest) }
                world.edit { $0 = manifest }
                let plan = try world.plan()
                guard plan.drift.isEmpty || plan.drift.allSatisfy({ "\($0.object)".hasPrefix("image/") }) else {
                    Issue.record("seed \(seed): \(plan.text)")
                    return
                }
                let fresh = try World(manifest).first()
                #expect(fresh.drift.isEmpty)
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
        }
    }
}

extension World {
    fileprivate func first() throws -> Plan {
        var world = self
        return try world.plan()
    }
}
