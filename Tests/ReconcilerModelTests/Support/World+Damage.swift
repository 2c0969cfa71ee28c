import ReconcilerModel
import ReconcilerTime

/// What somebody, or the engine, does to a bottle behind our back.
enum Damage: Hashable, CustomStringConvertible {
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

    var description: String {
        switch self {
        case .removed(let role): "removed \(role.rawValue)"
        case .stopped(let role): "stopped \(role.rawValue)"
        case .paused(let role): "paused \(role.rawValue)"
        case .dead(let role): "dead \(role.rawValue)"
        case .disconnected(let role): "disconnected \(role.rawValue)"
        case .readdressed(let role): "readdressed \(role.rawValue)"
        case .attached(let role): "attached \(role.rawValue)"
        case .limited(let role): "limited \(role.rawValue)"
        case .overlimited(let role): "overlimited \(role.rawValue)"
        case .restarting(let role): "restarting \(role.rawValue)"
        case .unconfined(let role): "unconfined \(role.rawValue)"
        case .renamed(let role): "renamed \(role.rawValue)"
        case .edited(let role): "edited \(role.rawValue)"
        case .lost(let role): "lost \(role.rawValue)"
        case .moded(let role): "moded \(role.rawValue)"
        case .reloadedEdit(let role): "reloaded edit \(role.rawValue)"
        case .networkGone(let role): "network gone \(role.rawValue)"
        case .networkChanged(let role): "network changed \(role.rawValue)"
        case .networkTwin(let role): "network twin \(role.rawValue)"
        case .volumeGone(let role): "volume gone \(role.rawValue)"
        case .imageMoved(let role): "image moved \(role.rawValue)"
        case .imageGone(let role): "image gone \(role.rawValue)"
        case .secretRotated: "secret rotated"
        case .orphan: "orphan"
        case .leftoverVolume: "leftover volume"
        }
    }

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

extension World {
    /// Does `damage`; false when there is nothing to do it to.
    mutating func suffer(_ damage: Damage) throws -> Bool {
        let before = self
        try inflict(damage)
        return boxes != before.boxes || networks != before.networks || volumes != before.volumes
            || images != before.images || fingerprints != before.fingerprints
    }

    private mutating func inflict(_ damage: Damage) throws {
        switch damage {
        case .removed(let role):
            boxes.removeAll { $0.shell.name == Names.container(manifest.identity, role) }
        case .stopped(let role): end(role, exitCode: 137)
        case .dead(let role):
            end(role, exitCode: 137)
            change(role) { $0.shell.state = .dead }
        case .paused(let role):
            change(role) { if $0.shell.state == .running { $0.shell.state = .paused } }
        case .disconnected(let role):
            change(role) { if !$0.shell.endpoints.isEmpty { $0.shell.endpoints.removeFirst() } }
        case .readdressed(let role):
            change(role) { box in
                guard box.shell.isLiving else { return }
                for index in box.shell.endpoints.indices where box.shell.endpoints[index].networkName != "corp" {
                    guard let address = box.shell.endpoints[index].address else { continue }
                    box.shell.endpoints[index].address = IPv4Address(bits: address.bits & ~15 | 14)
                    return
                }
            }
        case .attached(let role):
            change(role) { box in
                guard !box.shell.endpoints.contains(where: { $0.networkName == "bridge" }) else { return }
                box.shell.endpoints.append(
                    .init(
                        networkID: box.shell.state == .created ? "" : "n-bridge",
                        networkName: "bridge",
                        address: nil
                    )
                )
            }
        case .limited(let role): change(role) { $0.shell.limits.pids = 7 }
        case .overlimited(let role): change(role) { $0.shell.limits.memory = 1 << 20 }
        case .restarting(let role): change(role) { $0.shell.restartsItself = true }
        case .unconfined(let role): change(role) { $0.shell.confinement?.isPrivileged = true }
        case .renamed(let role): change(role) { $0.shell.name = "renamed-\(role.rawValue)" }
        case .edited(let role): edit(role, reload: false)
        case .reloadedEdit(let role): edit(role, reload: true)
        case .lost(let role):
            change(role) { box in if let path = box.disk.keys.min() { box.disk[path] = nil } }
        case .moded(let role):
            change(role) { box in if let path = box.disk.keys.max() { box.disk[path]?.mode = 0o777 } }
        case .networkGone(let role): remove(role)
        case .networkChanged(let role):
            guard let name = remove(role) else { return }
            networks.append(
                ObservedNetwork(
                    id: newID("n"),
                    name: name,
                    labels: Labels.of(manifest.identity, role: role.rawValue, installation: record.installation),
                    isInternal: true,
                    subnets: [try IPv4Block("10.99.0.0/28")]
                )
            )
        case .networkTwin(let role):
            guard var twin = network(named: Names.network(manifest.identity, role)) else { return }
            twin.id = newID("n")
            twin.subnets = [try IPv4Block("10.98.0.0/28")]
            networks.append(twin)
        case .volumeGone(let role):
            guard let volume = box(role)?.mounts.first else { return }
            boxes.removeAll { $0.mounts.contains(volume) }
            volumes.removeAll { $0.name == volume }
        case .imageMoved(let role):
            let reference = Sample.image(role).reference
            let id = newID("sha256:moved")
            if images[reference] != nil { images[reference]?.id = id }
        case .imageGone(let role): images[Sample.image(role).reference] = nil
        case .secretRotated: fingerprints[Sample.token] = newID("fingerprint")
        case .orphan: makeOrphan()
        case .leftoverVolume:
            let name = Names.volume(manifest.identity, "git-gate-config")
            guard !volumes.contains(where: { $0.name == name }) else { return }
            volumes.append(
                ObservedVolume(
                    name: name,
                    labels: Labels.of(manifest.identity, role: "git-gate-config", installation: record.installation)
                )
            )
            record.names.append(name)
        }
    }

    /// The program of `role` ends.
    mutating func end(_ role: Role, exitCode: Int) {
        change(role) { box in
            guard box.shell.isLiving else { return }
            box.shell.state = .exited
            box.shell.exitCode = exitCode
            box.loaded = nil
        }
    }

    private mutating func edit(_ role: Role, reload: Bool) {
        change(role) { box in
            let path = role == .egressProxy ? "\(EgressProxy.folder)/routes.yaml" : box.disk.keys.min()
            guard let path, var file = box.disk[path] else { return }
            file.content += Array("evil.example\n".utf8)
            file.modified = Timestamp(seconds: 1_700_000_000, nanoseconds: 0)
            box.disk[path] = file
            guard reload, box.shell.isRunning else { return }
            let edited = DesiredFile(path: path, content: file.content, isReloadable: true)
            box.loaded = LoadedGeneration(inForce: Generation.digest(of: [edited]))
        }
    }

    /// Stops what is on a network, as the engine demands, and removes it; tells its name.
    @discardableResult
    private mutating func remove(_ role: NetworkRole) -> String? {
        guard let network = network(named: Names.network(manifest.identity, role)) else { return nil }
        for index in boxes.indices where boxes[index].shell.endpoints.contains(where: { $0.networkID == network.id }) {
            // The agent is only taken off it: it must survive.
            if boxes[index].shell.labels[Labels.role] == Role.agent.rawValue {
                boxes[index].shell.endpoints.removeAll { $0.networkID == network.id }
            } else if boxes[index].shell.isLiving {
                boxes[index].shell.state = .exited
                boxes[index].loaded = nil
            }
        }
        networks.removeAll { $0.id == network.id }
        return network.name
    }

    private mutating func makeOrphan() {
        let name = Names.container(manifest.identity, .gitGate)
        guard !boxes.contains(where: { $0.shell.name == name }) else { return }
        record.names.append(name)
        let shell = ObservedContainer(
            id: newID("c"),
            name: name,
            labels: Labels.of(manifest.identity, role: "git-gate", installation: record.installation)
        )
        boxes.append(Box(shell: shell, mounts: []))
    }
}
