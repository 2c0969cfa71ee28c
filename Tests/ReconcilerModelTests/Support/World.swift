import ReconcilerModel
import ReconcilerTime
import SeededRandom

/// An engine made of values: it does what a plan says as the real one would, and refuses what that would refuse.
struct World {
    struct DiskFile: Hashable {
        var content: [UInt8]
        var mode: UInt32
        var modified: Timestamp
    }

    struct Box: Hashable {
        var shell: ObservedContainer
        var mounts: [String]
        var disk: [String: DiskFile] = [:]
        /// What the program read when it was last started.
        var atStart: [String: [UInt8]] = [:]
        var loaded: LoadedGeneration?
    }

    var manifest: BottleManifest
    var revision = "r1"
    var fingerprints: [SecretReference: String] = [:]
    /// Build contexts that came with the program.
    var contexts: [Role: ContentDigest] = [:]
    /// Generations that a sidecar's program refuses.
    var refused: Set<ContentDigest> = []
    /// What every generation that was ever wanted lets through.
    var rules: Rules = [:]

    var boxes: [Box] = []
    var networks: [ObservedNetwork] = []
    var volumes: [ObservedVolume] = []
    var images: [ImageReference: ObservedImage] = [:]
    var foreignContainers: [ObservedForeignContainer] = []
    var record: BottleRecord
    var ids = 0

    init(_ manifest: BottleManifest) {
        self.manifest = manifest
        record = BottleRecord(identity: manifest.identity, installation: Sample.installation)
        networks = [
            ObservedNetwork(id: "n-bridge", name: "bridge", subnets: [Sample.known(try IPv4Block("172.17.0.0/16"))]),
            ObservedNetwork(id: "n-corp", name: "corp", subnets: [Sample.known(try IPv4Block("10.50.0.0/24"))]),
        ]
    }

    /// A world that has converged to `manifest`.
    static func converged(_ manifest: BottleManifest) throws -> World {
        var world = World(manifest)
        _ = try world.converge()
        return world
    }

    mutating func newID(_ prefix: String) -> String {
        ids += 1
        return "\(prefix)-\(ids)"
    }

    /// Commits an edit of the manifest.
    mutating func edit(_ change: (inout BottleManifest) -> Void) {
        change(&manifest)
        ids += 1
        revision = "r\(ids)"
    }

    func box(_ role: Role) -> Box? { boxes.first { $0.shell.name == Names.container(manifest.identity, role) } }

    mutating func change(_ role: Role, _ body: (inout Box) -> Void) {
        let name = Names.container(manifest.identity, role)
        for index in boxes.indices where boxes[index].shell.name == name { body(&boxes[index]) }
    }

    func network(named name: String) -> ObservedNetwork? {
        let named = networks.filter { $0.name == name }
        return named.first { $0.id == record.ids[name] } ?? named.min { $0.id < $1.id }
    }

    // MARK: - Desired and observed

    mutating func desired() throws -> DesiredBottle {
        let topology = Topology(manifest)
        let own = topology.ownNetworks.map { Names.network(manifest.identity, $0) }
        let used = networks.filter { !own.contains($0.name) }.flatMap(\.subnets)
        try record.addresses.assign(topology.ownNetworks, from: Sample.pool, avoiding: used)
        var images: [Role: RenderInput.Image] = [:]
        for role in topology.roles {
            var image = Sample.image(role)
            if let context = contexts[role] { image.source = .bundled(context: context) }
            if role == .agent, case .build(let source) = manifest.agent.image, let pinned = source.pinned {
                image.reference = Sample.known(try ImageReference("bottle/\(manifest.identity)-agent"))
                image.source = .stored(context: pinned, dockerfile: source.dockerfile)
            }
            images[role] = .init(desired: image, id: self.images[image.reference]?.id)
        }
        let agent = images[.agent]?.id
        return try DesiredBottle(
            rendering: RenderInput(
                manifest: manifest,
                revision: revision,
                addresses: record.addresses,
                images: images,
                agentFacts: agent.map(Sample.facts(id:)),
                fingerprints: Dictionary(
                    uniqueKeysWithValues: manifest.secrets.map { ($0, fingerprints[$0] ?? "fingerprint-of-\($0)") }
                ),
                authority: Sample.authority
            )
        )
    }

    /// What the engine shows: no address of what doesn't live, no network id before the first start.
    func observe(_ desired: DesiredBottle) -> ObservedBottle {
        ObservedBottle(
            containers: boxes.map { box in
                var shell = box.shell
                if let wanted = desired.containers.first(where: { $0.role == shell.role }) {
                    for file in wanted.files {
                        let found = box.disk[file.path].map {
                            ObservedFile(size: Int64($0.content.count), mode: $0.mode, modified: $0.modified)
                        }
                        shell.files[file.path] = .some(found)
                    }
                    if wanted.generation != nil, shell.isLiving { shell.loaded = box.loaded }
                }
                if !shell.isLiving { for index in shell.endpoints.indices { shell.endpoints[index].address = nil } }
                return shell
            },
            networks: networks,
            volumes: volumes,
            images: images,
            foreignContainers: foreignContainers
        )
    }

    /// The plan for what is there now.
    mutating func plan() throws -> Plan {
        let desired = try desired()
        return Planner.plan(desired: desired, observed: observe(desired), record: record)
    }

    // MARK: - Passes

    struct NotConverging: Error, CustomStringConvertible {
        var plans: [Plan]
        var description: String { "not converging:\n" + plans.map(\.text).joined(separator: "\n--\n") }
    }

    /// Plans and performs until nothing is left to do; gives the plans that were not empty.
    mutating func converge(rounds: Int = 4) throws -> [Plan] {
        var rng = SplitMix64(seed: 1)
        return try converge(rounds: rounds, using: &rng)
    }

    mutating func converge(rounds: Int, using rng: inout SplitMix64) throws -> [Plan] {
        var plans: [Plan] = []
        for _ in 0...rounds {
            let desired = try desired()
            let plan = Planner.plan(desired: desired, observed: observe(desired), record: record)
            if plan.isEmpty {
                if !plan.findings.contains(where: \.blocks) { settle(desired, plan) }
                return plans
            }
            plans.append(plan)
            try perform(plan, desired, using: &rng)
        }
        throw NotConverging(plans: plans)
    }

    private mutating func settle(_ desired: DesiredBottle, _ plan: Plan) {
        record.converged = .init(desired)
        for finding in plan.findings { if case .agentEnded(let code) = finding { record.agentExit = code } }
        for container in desired.containers {
            guard let generation = container.generation else { continue }
            record.permissions[container.role.rawValue] = [generation.hex: container.permissions]
        }
    }
}
