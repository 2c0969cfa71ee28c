import EngineTestSupport
import ModelTestSupport
import ReconcilerEngine
import ReconcilerModel
import ReconcilerTime
import SeededRandom

/// What people, programs or the engine do to a bottle behind our back.
enum Damage: Hashable {
    case removed(Role)
    case stopped(Role)
    case paused(Role)
    case dead(Role)
    case disconnected(Role)
    case readdressed(Role)
    case attached(Role)
    case limited(Role)
    case overlimited(Role)
    case restarting(Role)
    case unconfined(Role)
    case renamed(Role)
    case edited(Role)
    case lost(Role)
    case moded(Role)
    case reloadedEdit(Role)
    case networkGone(NetworkRole)
    case networkChanged(NetworkRole)
    case networkTwin(NetworkRole)
    case volumeGone(Role)
    case imageMoved(Role)
    case imageGone(Role)
    case secretRotated
    case orphan
    case leftoverVolume

    static func all(for manifest: BottleManifest) -> [Damage] {
        let topology = Topology(manifest)
        let roles = topology.roles
        let sidecars = roles.filter { $0 != .agent }
        var all: [Damage] = roles.flatMap { role -> [Damage] in
            [
                .removed(role), .paused(role), .disconnected(role), .attached(role), .limited(role),
                .edited(role), .lost(role), .moded(role), .imageMoved(role), .imageGone(role), .dead(role),
                .volumeGone(role), .readdressed(role), .restarting(role), .unconfined(role), .renamed(role),
            ]
        }
        all += sidecars.flatMap { [.stopped($0), .reloadedEdit($0)] }
        all += topology.ownNetworks.flatMap { [.networkGone($0), .networkChanged($0), .networkTwin($0)] }
        all += [.orphan, .leftoverVolume]
        if !manifest.secrets.isEmpty { all.append(.secretRotated) }
        return all
    }
}

extension PlanFixture {
    /// Does `damage`, whole or, where the engine refuses a part of it, not at all; false when there is nothing to do
    /// it to.
    mutating func suffer(_ damage: Damage) async throws -> Bool {
        switch damage {
        case .secretRotated:
            fingerprints[SampleManifest.token, default: ""] += "'"
            return true
        case .orphan: record.names.append(Names.container(manifest.identity, .gitGate))
        case .leftoverVolume: record.names.append(Names.volume(manifest.identity, "git-gate-config"))
        default: break
        }
        let files = try await desired().containers.reduce(into: [Role: [String]]()) {
            $0[$1.role] = $1.files.map(\.path)
        }
        let site = DamageSite(identity: manifest.identity, installation: record.installation, files: files)
        return try await engine.change { world in
            var damaged = world
            let isDone = try site.inflict(damage, on: &damaged)
            world = damaged
            return isDone
        }
    }

    mutating func end(_ role: Role, exitCode: Int) async throws {
        let name = Names.container(manifest.identity, role)
        try await engine.change { if $0.isThere(name) { try $0.exit(name, code: exitCode) } }
    }
}

extension EngineState {
    fileprivate func isThere(_ name: String) -> Bool { containers.values.contains { $0.name == name } }
}

/// Where damage is done: one bottle, and the files that its containers are to have.
private struct DamageSite {
    let identity: Identity
    let installation: InstallationID
    let files: [Role: [String]]

    func inflict(_ damage: Damage, on world: inout EngineState) throws -> Bool {
        switch damage {
        case .removed(let role): try change(role, &world) { try $0.remove($1.id, force: true) }
        case .stopped(let role): try living(role, &world) { try $0.exit($1.id, code: 137) }
        case .dead(let role):
            try change(role, &world) { world, container in
                try world.exit(container.id, code: 137)
                world.containers[container.id]?.state.status = "dead"
            }
        case .paused(let role):
            try living(role, &world) { world, container in
                if !container.state.isPaused { try world.pause(container.id) }
            }
        case .disconnected(let role):
            try change(role, &world) { world, container in
                guard let name = container.endpoints.keys.min() else { return }
                try world.disconnect(network: id(of: name, container), container: container.id, force: true)
            }
        case .readdressed(let role): try living(role, &world, readdress)
        case .attached(let role):
            try change(role, &world) { world, container in
                guard container.endpoints["bridge"] == nil else { return }
                try world.connect(network: "bridge", container: container.id, endpoint: EndpointCreate())
            }
        case .limited(let role): try change(role, &world) { _ = try $0.update($1.id, ContainerUpdate(pidsLimit: 7)) }
        case .overlimited(let role):
            try change(role, &world) { world, container in
                _ = try world.update(container.id, ContainerUpdate(memory: 8 << 20, memorySwap: 8 << 20))
            }
        case .restarting(let role):
            try change(role, &world) { world, container in
                _ = try world.update(container.id, ContainerUpdate(restartPolicy: .init(name: "always")))
            }
        case .unconfined(let role):
            try change(role, &world) { $0.containers[$1.id]?.hostConfig.isPrivileged = true }
        case .renamed(let role): try change(role, &world) { try $0.rename($1.id, to: "renamed-\(role.rawValue)") }
        case .edited(let role): try edit(role, &world, isLoaded: false)
        case .reloadedEdit(let role): try edit(role, &world, isLoaded: true)
        case .lost(let role):
            try living(role, &world) { world, container in
                guard let path = files[role]?.min() else { return }
                _ = try world.exec(container.id, .remove(path))
            }
        case .moded(let role):
            try change(role, &world) { world, container in
                guard let path = files[role]?.max() else { return }
                try? world.edit(path, in: container.id) { $0.mode = 0o777 }
            }
        case .networkGone(let role): try removeNetwork(role, &world) != nil
        case .networkChanged(let role): try remake(role, &world)
        case .networkTwin(let role): try twin(role, &world)
        case .volumeGone(let role): try removeVolume(of: role, &world)
        case .imageMoved(let role): (try? world.move(SampleManifest.image(role).reference.text)) != nil
        case .imageGone(let role): untag(SampleManifest.image(role).reference.text, &world)
        case .orphan: try makeOrphan(&world)
        case .leftoverVolume:
            world.makeVolume(
                Names.volume(identity, "git-gate-config"),
                labels: labels("git-gate-config")
            ).name.isEmpty == false
        case .secretRotated: false
        }
    }

    private func labels(_ role: String) -> [String: String] {
        Labels.of(identity, role: role, installation: installation)
    }

    private typealias Change = (inout EngineState, MemoryContainer) throws -> Void

    private func change(_ role: Role, _ world: inout EngineState, _ body: Change) throws -> Bool {
        let name = Names.container(identity, role)
        guard let container = world.containers.values.first(where: { $0.name == name }) else { return false }
        try body(&world, container)
        return true
    }

    private func living(_ role: Role, _ world: inout EngineState, _ body: Change) throws -> Bool {
        let name = Names.container(identity, role)
        guard world.containers.values.contains(where: { $0.name == name && $0.isRunning }) else { return false }
        return try change(role, &world, body)
    }

    private func id(of network: String, _ container: MemoryContainer) -> String {
        let id = container.endpoints[network]?.wire.networkID ?? ""
        return id.isEmpty ? network : id
    }

    private func readdress(_ world: inout EngineState, _ container: MemoryContainer) throws {
        for (name, endpoint) in container.endpoints.sorted(by: { $0.key < $1.key }) where name != "corp" {
            guard let address = try? IPv4Address(endpoint.wire.ipAddress) else { continue }
            let network = id(of: name, container)
            let other = IPv4Address(bits: address.bits & ~15 | 14)
            try world.disconnect(network: network, container: container.id, force: true)
            try? world.connect(
                network: network,
                container: container.id,
                endpoint: EndpointCreate(ipv4: other.description, aliases: endpoint.wire.aliases)
            )
            return
        }
    }

    private func edit(_ role: Role, _ world: inout EngineState, isLoaded: Bool) throws -> Bool {
        try change(role, &world) { world, container in
            let path = role == .egressProxy ? "/etc/egress-proxy/routes.yaml" : files[role]?.min()
            guard let path else { return }
            try? world.edit(path, in: container.id) { node in
                node.kind = .file((node.content ?? []) + Array("evil.example\n".utf8))
                node.modifiedAt = Timestamp(seconds: 1_600_000_000)
            }
            guard isLoaded, container.isRunning, !container.state.isPaused else { return }
            try world.kill(container.id, signal: "SIGHUP")
            for _ in 0..<3 { world.pass() }
        }
    }

    /// Stops what is on a network, as the engine demands, and removes it; gives its name.
    ///
    /// The agent is only taken off it: it must survive.
    private func removeNetwork(_ role: NetworkRole, _ world: inout EngineState) throws -> String? {
        let name = Names.network(identity, role)
        guard let network = world.networks.values.first(where: { $0.summary.name == name })?.summary.id else {
            return nil
        }
        for container in world.containers.values
        where container.endpoints.values.contains(where: { $0.wire.networkID == network }) {
            if container.config.labels?[Labels.role] == Role.agent.rawValue {
                try world.disconnect(network: network, container: container.id, force: true)
            } else if container.isRunning {
                try world.stop(container.id, timeout: 0)
            }
        }
        try world.removeNetwork(network)
        return name
    }

    private func remake(_ role: NetworkRole, _ world: inout EngineState) throws -> Bool {
        guard let name = try removeNetwork(role, &world) else { return false }
        let pool = IPAM.Pool(subnet: "10.99.0.0/28")
        _ = try? world.createNetwork(
            NetworkCreate(name: name, isInternal: true, ipam: IPAM(pools: [pool]), labels: labels(role.rawValue))
        )
        return true
    }

    private func twin(_ role: NetworkRole, _ world: inout EngineState) throws -> Bool {
        let name = Names.network(identity, role)
        guard let network = world.networks.values.first(where: { $0.summary.name == name })?.summary else {
            return false
        }
        _ = try world.createNetwork(
            NetworkCreate(
                name: name,
                checkDuplicate: false,
                isInternal: network.isInternal,
                labels: network.labels
            )
        )
        return true
    }

    private func removeVolume(of role: Role, _ world: inout EngineState) throws -> Bool {
        let name = Names.container(identity, role)
        let container = world.containers.values.first { $0.name == name }
        guard let volume = container?.mounts.first(where: { $0.type == .volume })?.source else { return false }
        for container in world.containers.values where container.mounts.contains(where: { $0.source == volume }) {
            try world.remove(container.id, force: true)
        }
        try world.removeVolume(volume)
        return true
    }

    private func untag(_ reference: String, _ world: inout EngineState) -> Bool {
        guard let image = world.findImage(reference) else { return false }
        world.images[image.id]?.tags = []
        return true
    }

    private func makeOrphan(_ world: inout EngineState) throws -> Bool {
        let name = Names.container(identity, .gitGate)
        guard !world.isThere(name) else { return false }
        let config = ContainerConfig(image: SampleEngine.base, labels: labels("git-gate"))
        _ = try world.createContainer(name: name, ContainerCreate(config: config))
        return true
    }
}
