import ReconcilerModel
import SeededRandom

/// What a real engine would answer with an error.
struct Refusal: Error, CustomStringConvertible {
    var action: Action
    var why: String
    var description: String { "the engine refuses '\(action.text)': \(why)" }
}

extension World {
    /// Performs a plan in a random order that its dependencies allow.
    ///
    /// No step may give the agent a way out that neither the rules in force when the plan begins nor the wanted ones
    /// allow.
    /// Images alone are brought first, since containers can't be described without them; the next plan has the rest.
    /// - Parameter steps: after how many steps the run is killed; nil: never.
    mutating func perform(
        _ plan: Plan,
        _ desired: DesiredBottle,
        steps: Int? = nil,
        using rng: inout SplitMix64
    ) throws {
        let onlyImages = plan.actions.contains { if case .image = $0.object { true } else { false } }
        prepare(for: plan, desired)
        learnRules(of: desired)
        let allowed = ways.union(waysByRules(desired)).union(wantedWays(desired))
        var done: Set<Int> = []
        var made: Set<Int> = []
        var left = Set(
            plan.actions.indices.filter { index in
                guard onlyImages else { return true }
                if case .image = plan.actions[index].object { return true }
                return false
            }
        )
        var budget = steps ?? .max
        while !left.isEmpty, budget > 0 {
            let ready = left.sorted().filter { index in
                let action = plan.actions[index]
                return action.after.allSatisfy(done.contains)
                    && (!made.contains(index) || action.startsAfter.allSatisfy(done.contains))
            }
            if ready.isEmpty, let stuck = left.min() {
                throw Refusal(action: plan.actions[stuck], why: "it waits for ever")
            }
            let index = rng.pick(ready)
            let action = plan.actions[index]
            if action.verb == .create, case .container(let role) = action.object, !made.contains(index) {
                let half = budget == 1 && rng.oneIn(2)
                try make(action, role, desired, half: half)
                made.insert(index)
            } else if action.verb == .create, case .container(let role) = action.object {
                let id = boxes.first { $0.shell.name == Names.container(desired.identity, role) }?.shell.id
                try start(action, id ?? "", desired)
                done.insert(index)
                left.remove(index)
            } else {
                try perform(action, desired)
                done.insert(index)
                left.remove(index)
            }
            budget -= 1
            let opened = ways.subtracting(allowed)
            guard opened.isEmpty else {
                throw Refusal(action: action, why: "gives the agent a way out: \(opened.sorted())\n\(plan.text)")
            }
        }
    }

    private mutating func prepare(for plan: Plan, _ desired: DesiredBottle) {
        var names = Set(record.names)
        names.formUnion(desired.containers.map(\.name))
        names.formUnion(desired.networks.filter { !$0.isExternal }.map(\.name))
        names.formUnion(desired.volumes.map(\.name))
        record.names = names.sorted()
        for container in desired.containers {
            guard let generation = container.generation else { continue }
            record.permissions[container.role.rawValue, default: [:]][generation.hex] = container.permissions
        }
    }

    private mutating func perform(_ action: Action, _ desired: DesiredBottle) throws {
        switch action.object {
        case .image(let role): try bring(action, role, desired)
        case .network(let role): try performNetwork(action, role, desired)
        case .volume(let name): try performVolume(action, name, desired)
        case .container(let role): try performContainer(action, role, desired)
        }
    }

    private mutating func bring(_ action: Action, _ role: Role, _ desired: DesiredBottle) throws {
        guard let image = desired.images.first(where: { $0.role == role }), [.build, .pull].contains(action.verb) else {
            throw Refusal(action: action, why: "no such image is wanted")
        }
        let labels = image.context.map { [DesiredImage.contextLabel: $0.hex] } ?? [:]
        images[image.reference] = ObservedImage(id: newID("sha256:\(role.rawValue)"), labels: labels)
    }

    private mutating func performNetwork(_ action: Action, _ role: NetworkRole, _ desired: DesiredBottle) throws {
        switch action.verb {
        case .create:
            guard let wanted = desired.network(role), let subnet = wanted.subnet else {
                throw Refusal(action: action, why: "no such network is wanted")
            }
            guard !networks.contains(where: { $0.name == wanted.name }) else {
                throw Refusal(action: action, why: "network with name \(wanted.name) already exists")
            }
            guard !networks.contains(where: { $0.subnets.contains { $0.overlaps(subnet) } }) else {
                throw Refusal(action: action, why: "pool overlaps with other one on this address space")
            }
            let id = newID("n")
            networks.append(
                ObservedNetwork(
                    id: id,
                    name: wanted.name,
                    labels: Labels.of(desired.identity, role: role.rawValue, installation: record.installation),
                    isInternal: wanted.isInternal,
                    subnets: [subnet],
                    options: wanted.options
                )
            )
            record.ids[wanted.name] = id
        case .remove:
            guard let network = networks.first(where: { $0.id == action.target }) else {
                throw Refusal(action: action, why: "no such network")
            }
            let active = boxes.filter { box in
                box.shell.isLiving && box.shell.endpoints.contains { $0.networkID == network.id }
            }
            guard active.isEmpty else {
                throw Refusal(action: action, why: "has active endpoints: \(active.map(\.shell.name))")
            }
            networks.removeAll { $0.id == network.id }
        default: throw Refusal(action: action, why: "no verb for a network")
        }
    }

    private mutating func performVolume(_ action: Action, _ name: String, _ desired: DesiredBottle) throws {
        switch action.verb {
        case .create:
            guard let wanted = desired.volumes.first(where: { $0.name == name }) else {
                throw Refusal(action: action, why: "no such volume is wanted")
            }
            volumes.append(
                ObservedVolume(
                    name: name,
                    labels: Labels.of(desired.identity, role: wanted.purpose, installation: record.installation)
                )
            )
        case .remove:
            guard !boxes.contains(where: { $0.mounts.contains(name) }) else {
                throw Refusal(action: action, why: "volume is in use")
            }
            guard volumes.contains(where: { $0.name == name }) else {
                throw Refusal(action: action, why: "no such volume")
            }
            volumes.removeAll { $0.name == name }
        default: throw Refusal(action: action, why: "no verb for a volume")
        }
    }

    // MARK: - Containers

    private func index(_ action: Action, _ id: String?) throws -> Int {
        guard let id, let index = boxes.firstIndex(where: { $0.shell.id == id }) else {
            throw Refusal(action: action, why: "no such container")
        }
        return index
    }

    private func running(_ action: Action, _ id: String?) throws -> Int {
        let index = try index(action, id)
        guard boxes[index].shell.state == .running else { throw Refusal(action: action, why: "is not running") }
        return index
    }

    private mutating func performContainer(_ action: Action, _ role: Role, _ desired: DesiredBottle) throws {
        let wanted = desired.container(role)
        switch action.verb {
        case .remove:
            boxes.remove(at: try index(action, action.target))
        case .stop:
            let index = try index(action, action.target)
            boxes[index].shell.state = .exited
            boxes[index].shell.exitCode = 143
            boxes[index].loaded = nil
        case .unpause:
            let index = try index(action, action.target)
            guard boxes[index].shell.state == .paused else { throw Refusal(action: action, why: "is not paused") }
            boxes[index].shell.state = .running
        case .start:
            try start(action, try boxes[index(action, action.target)].shell.id, desired)
        case .connect:
            try connect(action, try index(action, action.target), wanted, desired)
        case .disconnect:
            let index = try index(action, action.target)
            guard let network = networks.first(where: { $0.id == action.networkID }) else {
                throw Refusal(action: action, why: "network \(action.networkID ?? "") not found")
            }
            let before = boxes[index].shell.endpoints.count
            boxes[index].shell.endpoints.removeAll { endpoint in
                endpoint.networkID == network.id || (endpoint.networkID.isEmpty && endpoint.networkName == network.name)
            }
            guard boxes[index].shell.endpoints.count < before else {
                throw Refusal(action: action, why: "is not connected to network \(network.name)")
            }
        case .copy:
            let index = try index(action, action.target)
            guard let file = wanted?.files.first(where: { $0.path == action.path }) else {
                throw Refusal(action: action, why: "no such file is wanted")
            }
            boxes[index].disk[file.path] = DiskFile(file)
        case .update:
            let index = try index(action, action.target)
            let limits = wanted?.limits ?? Resources()
            if let cpus = limits.milliCPUs { boxes[index].shell.limits.milliCPUs = cpus }
            if let memory = limits.memory { boxes[index].shell.limits.memory = memory }
            if let pids = limits.pids { boxes[index].shell.limits.pids = pids }
            boxes[index].shell.restartsItself = false
        case .signal:
            load(try running(action, action.target), wanted, isStart: false)
        case .restart:
            let index = try running(action, action.target)
            boxes[index].loaded = nil
            try start(action, boxes[index].shell.id, desired)
        default: throw Refusal(action: action, why: "no verb for a container")
        }
    }

    private mutating func make(_ action: Action, _ role: Role, _ desired: DesiredBottle, half: Bool) throws {
        guard let wanted = desired.container(role) else { throw Refusal(action: action, why: "not wanted") }
        guard !boxes.contains(where: { $0.shell.name == wanted.name }) else {
            throw Refusal(action: action, why: "the name \(wanted.name) is already in use")
        }
        guard let image = images[wanted.reference], image.id == wanted.imageID, let hash = wanted.specHash else {
            throw Refusal(action: action, why: "no such image: \(wanted.reference)")
        }
        for mount in wanted.spec.mounts where !volumes.contains(where: { $0.name == mount.volume }) {
            throw Refusal(action: action, why: "the engine would make an unlabelled volume \(mount.volume)")
        }
        let id = newID("c")
        var shell = ObservedContainer(
            id: id,
            name: wanted.name,
            labels: Labels.of(
                desired.identity,
                role: role.rawValue,
                installation: record.installation,
                specHash: hash
            ),
            imageID: image.id,
            state: .created,
            limits: wanted.limits,
            confinement: Confinement(wanted.spec)
        )
        shell.endpoints = try wanted.endpoints.prefix(half ? 1 : wanted.endpoints.count).map { endpoint in
            try self.endpoint(action, endpoint, desired)
        }
        var box = Box(shell: shell, mounts: wanted.spec.mounts.map(\.volume))
        if !half { for file in wanted.files { box.disk[file.path] = DiskFile(file) } }
        boxes.append(box)
        record.ids[wanted.name] = id
        if role == .agent {
            record.agentIntent = wanted.intentHash.text
            record.agentExit = nil
        }
    }

    private func endpoint(
        _ action: Action,
        _ endpoint: DesiredContainer.Endpoint,
        _ desired: DesiredBottle
    ) throws -> ObservedContainer.Endpoint {
        guard let name = desired.network(endpoint.network)?.name, network(named: name) != nil else {
            throw Refusal(action: action, why: "network \(endpoint.network.rawValue) not found")
        }
        return .init(networkID: "", networkName: name, address: endpoint.address, aliases: endpoint.aliases)
    }

    private mutating func connect(
        _ action: Action,
        _ index: Int,
        _ wanted: DesiredContainer?,
        _ desired: DesiredBottle
    ) throws {
        guard let planned = wanted?.endpoints.first(where: { $0.network == action.network }) else {
            throw Refusal(action: action, why: "a network the container has no business on")
        }
        var endpoint = try endpoint(action, planned, desired)
        let network = network(named: endpoint.networkName)
        if boxes[index].shell.isLiving {
            guard !boxes[index].shell.endpoints.contains(where: { $0.networkName == endpoint.networkName }) else {
                throw Refusal(action: action, why: "endpoint with name already exists in network")
            }
            endpoint.networkID = network?.id ?? ""
            try claim(action, endpoint, of: boxes[index])
        } else {
            boxes[index].shell.endpoints.removeAll { $0.networkName == endpoint.networkName }
        }
        boxes[index].shell.endpoints.append(endpoint)
    }

    private func claim(_ action: Action, _ endpoint: ObservedContainer.Endpoint, of box: Box) throws {
        guard let address = endpoint.address else { return }
        let taken = boxes.contains { other in
            other.shell.id != box.shell.id && other.shell.isLiving
                && other.shell.endpoints.contains { $0.networkID == endpoint.networkID && $0.address == address }
        }
        guard !taken else { throw Refusal(action: action, why: "address already in use: \(address)") }
        guard let network = networks.first(where: { $0.id == endpoint.networkID }),
            network.subnets.contains(where: { $0.contains(address) })
        else { throw Refusal(action: action, why: "no configured subnet contains \(address)") }
    }

    private mutating func start(_ action: Action, _ id: String, _ desired: DesiredBottle) throws {
        let index = try index(action, id)
        guard boxes[index].shell.state != .paused else { throw Refusal(action: action, why: "is paused; unpause") }
        for position in boxes[index].shell.endpoints.indices {
            var endpoint = boxes[index].shell.endpoints[position]
            if endpoint.networkID.isEmpty { endpoint.networkID = network(named: endpoint.networkName)?.id ?? "" }
            guard networks.contains(where: { $0.id == endpoint.networkID }) else {
                throw Refusal(action: action, why: "network \(endpoint.networkName) not found")
            }
            try claim(action, endpoint, of: boxes[index])
            boxes[index].shell.endpoints[position] = endpoint
        }
        boxes[index].shell.state = .running
        boxes[index].shell.exitCode = 0
        boxes[index].atStart = boxes[index].disk.mapValues(\.content)
        let wanted = desired.containers.first { $0.name == boxes[index].shell.name }
        if wanted?.role == .agent { try check(action, sidecarsOf: desired) }
        load(index, wanted, isStart: true)
    }

    /// The agent begins only when every sidecar is up, has loaded what it should, and is on its networks.
    private func check(_ action: Action, sidecarsOf desired: DesiredBottle) throws {
        for wanted in desired.containers where wanted.role != .agent {
            guard let box = box(wanted.role), box.shell.isRunning else {
                throw Refusal(action: action, why: "the agent begins before \(wanted.role.rawValue) runs")
            }
            guard box.loaded?.inForce == wanted.generation || box.loaded?.refusal != nil else {
                throw Refusal(action: action, why: "the agent begins before \(wanted.role.rawValue) has its rules")
            }
            let there = Set(box.shell.endpoints.map(\.networkName))
            guard there == Set(wanted.endpoints.compactMap { desired.network($0.network)?.name }) else {
                throw Refusal(action: action, why: "the agent begins before \(wanted.role.rawValue) is connected")
            }
        }
    }

    /// The program reads its files, as a sidecar of ours does.
    private mutating func load(_ index: Int, _ wanted: DesiredContainer?, isStart: Bool) {
        guard let wanted, wanted.reload == .signal else { return }
        let files = wanted.files.filter(\.isReloadable).map { file in
            DesiredFile(path: file.path, content: boxes[index].disk[file.path]?.content ?? [], isReloadable: true)
        }
        guard let candidate = Generation.digest(of: files) else { return }
        if refused.contains(candidate) {
            boxes[index].loaded = LoadedGeneration(
                inForce: isStart ? nil : boxes[index].loaded?.inForce,
                refusal: .init(reason: "bad-file", generation: candidate)
            )
        } else {
            boxes[index].loaded = LoadedGeneration(inForce: candidate)
        }
    }
}

extension World.DiskFile {
    init(_ file: DesiredFile) {
        self.init(content: file.content, mode: file.mode, modified: file.stamp)
    }
}

extension Confinement {
    /// Of a container that was made from `spec`, of an image that runs as `node` and asks for a volume.
    init(_ spec: ContainerSpec) {
        self.init(
            isRootReadOnly: spec.isRootReadOnly,
            mounts: spec.mounts.map { Mount(volume: $0.volume, target: $0.target) }
                + [Mount(volume: ContentDigest(of: "anonymous").hex, target: "/var/cache")],
            user: spec.user ?? "node",
            command: spec.command.isEmpty ? ["from-image"] : spec.command,
            environment: spec.environment
        )
    }
}
