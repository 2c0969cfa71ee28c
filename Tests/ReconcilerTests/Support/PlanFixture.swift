import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import SeededRandom

/// One bottle on the engine in memory, planned and performed action by action, without a state folder.
struct PlanFixture: Sendable {
    var manifest: BottleManifest
    /// The number of the desired state's revision; each edit adds one.
    private var revision = 1
    var fingerprints: [SecretReference: String] = [:]
    /// Build contexts that came with the program.
    var contexts: [Role: ContentDigest] = [:]
    var record: BottleRecord
    /// What every generation that was ever wanted lets through.
    var rules: WaysOut.Rules = [:]
    private(set) var engine: MemoryEngine

    /// Nothing of the bottle was made yet, not even its images.
    init(_ manifest: BottleManifest) throws {
        self.manifest = manifest
        record = BottleRecord(identity: manifest.identity, installation: SampleManifest.installation)
        var state = SampleEngine.engine
        let programs = [
            "egress-proxy": (
                ["/etc/egress-proxy/routes.yaml"], ["/etc/egress-proxy/ca.pem", "/etc/egress-proxy/upstream-roots.pem"]
            ),
            "firewall": (["/etc/firewall/allowlist"], []),
        ]
        for (name, (reloaded, once)) in programs {
            state.programs["bottle/\(name):latest"] = { _ in
                StartRecorder(program: ReloadingProgram(reading: reloaded, moments: 1), paths: once)
            }
        }
        let pool = IPAM.Pool(subnet: "10.50.0.0/24")
        _ = try state.createNetwork(NetworkCreate(name: "corp", ipam: IPAM(pools: [pool])))
        engine = MemoryEngine(state)
    }

    /// A bottle that has converged to `manifest`.
    static func converged(_ manifest: BottleManifest) async throws -> PlanFixture {
        var fixture = try PlanFixture(manifest)
        _ = try await fixture.converge()
        return fixture
    }

    /// The same bottle again, on an engine of its own.
    func fork() async -> PlanFixture {
        var fork = self
        fork.engine = MemoryEngine(await engine.world)
        return fork
    }

    /// Commits an edit of the manifest.
    mutating func edit(_ change: (inout BottleManifest) -> Void) {
        change(&manifest)
        revision += 1
    }

    func container(_ role: Role) async -> MemoryContainer? {
        let name = Names.container(manifest.identity, role)
        return await engine.world.containers.values.first { $0.name == name }
    }

    // MARK: - Desired and observed

    private func image(_ role: Role) -> DesiredImage {
        SampleManifest.image(role, in: manifest, contexts: contexts)
    }

    mutating func desired() async throws -> DesiredBottle {
        let topology = Topology(manifest)
        let own = Set(topology.ownNetworks.map { Names.network(manifest.identity, $0) })
        let used = try await Inventory.take(from: engine).usedBlocks(exceptOf: own)
        try record.addresses.assign(topology.ownNetworks, from: SampleManifest.pool, avoiding: used)
        let found = try await Observer(engine: engine).images(Set(topology.roles.map { image($0).reference }))
        let images = topology.roles.map { role in
            (role, RenderInput.Image(desired: image(role), id: found[image(role).reference]?.id))
        }
        return try DesiredBottle(
            rendering: SampleManifest.input(
                manifest,
                revision: SampleManifest.revision(revision),
                addresses: record.addresses,
                images: Dictionary(uniqueKeysWithValues: images),
                fingerprints: fingerprints
            )
        )
    }

    func observed(_ desired: DesiredBottle) async throws -> ObservedBottle {
        let observer = Observer(engine: engine)
        return try await observer.bottle(
            desired,
            installation: record.installation,
            inventory: Inventory.take(from: engine),
            images: observer.images(Set(desired.images.map(\.reference)))
        )
    }

    struct Planned {
        let desired: DesiredBottle
        let observed: ObservedBottle
        let plan: Plan
    }

    mutating func planned() async throws -> Planned {
        let desired = try await desired()
        let observed = try await observed(desired)
        let plan = Planner.plan(desired: desired, observed: observed, record: record)
        return Planned(desired: desired, observed: observed, plan: plan)
    }

    /// The plan for what is there now.
    mutating func plan() async throws -> Plan { try await planned().plan }

    // MARK: - Passes

    struct NotConverging: Error, CustomStringConvertible {
        var plans: [Plan]
        var description: String { "not converging:\n" + plans.map(\.text).joined(separator: "\n--\n") }
    }

    /// Plans and performs until nothing is left to do; gives the plans that were not empty.
    mutating func converge(rounds: Int = 4) async throws -> [Plan] {
        var rng = SplitMix64(seed: 1)
        return try await converge(rounds: rounds, using: &rng)
    }

    mutating func converge(rounds: Int, using rng: inout SplitMix64) async throws -> [Plan] {
        var plans: [Plan] = []
        for _ in 0...rounds {
            let planned = try await planned()
            guard planned.plan.isEmpty else {
                plans.append(planned.plan)
                try await perform(planned, using: &rng)
                continue
            }
            if !planned.plan.findings.contains(where: \.blocks) { markConverged(planned) }
            return plans
        }
        throw NotConverging(plans: plans)
    }

    /// Takes the bottle down.
    mutating func tearDown() async throws {
        let desired = try await desired()
        let observed = try await observed(desired)
        let plan = Planner.teardown(manifest.identity, observed: observed, record: record)
        var rng = SplitMix64(seed: 1)
        try await perform(Planned(desired: desired, observed: observed, plan: plan), using: &rng)
    }

    private mutating func markConverged(_ planned: Planned) {
        record.markConverged(
            planned.desired,
            observed: planned.observed,
            networks: networkIDs(planned),
            agentExit: planned.plan.agentExit,
            fingerprints: [:]
        )
    }

    func networkIDs(_ planned: Planned) -> [NetworkRole: NetworkID] {
        Planner.networkIDs(desired: planned.desired, observed: planned.observed, record: record)
    }
}

/// A sidecar's program that tells in its log what it read at its start.
private struct StartRecorder: ContainerProgram {
    var program: ReloadingProgram
    let paths: [String]
    private var hasBegun = false

    init(program: ReloadingProgram, paths: [String]) {
        self.program = program
        self.paths = paths
    }

    var isIdle: Bool { hasBegun && program.isIdle }

    mutating func tick(_ machine: inout ContainerMachine) {
        if !hasBegun {
            for path in paths { machine.say("\(path) \(ContentDigest(of: machine.read(path) ?? []))\n") }
            hasBegun = true
        }
        program.tick(&machine)
    }

    mutating func handle(_ signal: String, _ machine: inout ContainerMachine) -> Bool {
        program.handle(signal, &machine)
    }
}

extension MemoryContainer {
    /// Whether its program read this content of a file that it reads only at its start.
    func began(with file: DesiredFile) -> Bool {
        let lines = logs.map { String(decoding: $0.frame.bytes, as: UTF8.self) }
        return lines.last { $0.hasPrefix("\(file.path) ") } == "\(file.path) \(ContentDigest(of: file.content))\n"
    }
}
