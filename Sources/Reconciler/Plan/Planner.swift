/// Makes the plan: a pure function of what should be, what is, and what we remember.
///
/// Its rules, which the tests hold it to: planning again after performing gives an empty plan; nothing that isn't ours
/// is touched; the same input gives the same plan; a living agent ends only by a desired-state edit.
package struct Planner {
    private let desired: DesiredBottle
    private let observed: ObservedBottle
    private let record: BottleRecord
    private var plan: Plan
    private var steps = Steps()

    /// Positions in the plan of what later actions wait for.
    private struct Steps {
        var images: [Int] = []
        var removals: [Int] = []
        var networks: [NetworkRole: [Int]] = [:]
        var volumes: [String: Int] = [:]
        /// The last action of each container.
        var containers: [Role: Int] = [:]
    }

    private init(desired: DesiredBottle, observed: ObservedBottle, record: BottleRecord) {
        self.desired = desired
        self.observed = observed
        self.record = record
        plan = Plan(identity: desired.identity)
    }

    /// The plan that makes `observed` into `desired`.
    package static func plan(desired: DesiredBottle, observed: ObservedBottle, record: BottleRecord) -> Plan {
        var planner = Planner(desired: desired, observed: observed, record: record)
        return planner.makePlan()
    }

    /// The plan that removes everything that is ours of the bottle, its volumes included.
    package static func teardown(_ identity: Identity, observed: ObservedBottle, record: BottleRecord) -> Plan {
        let nothing = DesiredBottle(identity: identity, revision: "")
        var planner = Planner(desired: nothing, observed: observed, record: record)
        return planner.makeTeardown()
    }

    // MARK: - Order of the whole

    private mutating func makePlan() -> Plan {
        findWhatBlocks()
        guard !plan.findings.contains(where: \.blocks) else { return plan }
        planDetachments()
        planImages()
        let fates = desired.containers.map { (container: $0, fate: fate(of: $0)) }
        planRemovals(of: fates.filter(\.fate.isReplaced).map(\.container), because: fates)
        planNetworks(keeping: fates.filter { !$0.fate.isNew }.map(\.container))
        planVolumes()
        for (container, fate) in fates where fate.isNew { planCreation(of: container, fate) }
        for container in inReloadOrder(fates.filter { !$0.fate.isNew }.map(\.container)) { planUpkeep(of: container) }
        planLeftovers()
        return plan
    }

    private mutating func makeTeardown() -> Plan {
        for container in owned.sorted(by: { $0.name < $1.name }) {
            guard let role = container.role else { continue }
            let stop =
                container.isLiving && role == .agent
                ? [add(Action(.stop, .container(role), .deleted, target: container.id))] : []
            steps.removals.append(
                add(Action(.remove, .container(role), .deleted, target: container.id, after: stop))
            )
        }
        for network in ownedNetworks {
            guard let role = network.role else { continue }
            add(Action(.remove, .network(role), .deleted, target: network.value.id, after: steps.removals))
        }
        for volume in ownedVolumes {
            add(Action(.remove, .volume(volume.name), .deleted, target: volume.name, after: steps.removals))
        }
        return plan
    }

    @discardableResult
    private mutating func add(_ action: Action) -> Int {
        plan.actions.append(action)
        return plan.actions.count - 1
    }

    // MARK: - What is ours

    private func isOurs(labels: [String: String], name: String, id: String) -> Bool {
        labels[Labels.managedBy] == "bottle" && labels[Labels.installation] == record.installation
            && labels[Labels.identity] == desired.identity.name
            && (record.names.contains(name) || record.ids.values.contains(id))
    }

    private var owned: [ObservedContainer] {
        observed.containers.filter { isOurs(labels: $0.labels, name: $0.name, id: $0.id) }
    }

    private var ownedNetworks: [(role: NetworkRole?, value: ObservedNetwork)] {
        observed.networks.filter { isOurs(labels: $0.labels, name: $0.name, id: $0.id) }
            .map { (role: $0.labels[Labels.role].flatMap(NetworkRole.init(rawValue:)), value: $0) }
            .sorted { $0.value.name < $1.value.name }
    }

    private var ownedVolumes: [ObservedVolume] {
        observed.volumes.filter { isOurs(labels: $0.labels, name: $0.name, id: $0.name) }
            .sorted { $0.name < $1.name }
    }

    private func container(_ role: Role) -> ObservedContainer? {
        let candidates = owned.filter { $0.role == role }
        return candidates.first { $0.name == Names.container(desired.identity, role) } ?? candidates.first
    }

    /// The network that `role` means: the one whose id we recorded, else the one with its name.
    private func network(_ role: NetworkRole) -> ObservedNetwork? {
        guard let wanted = desired.network(role) else { return nil }
        let named = observed.networks.filter { $0.name == wanted.name }
        if wanted.isExternal { return named.first }
        let ours = named.filter { isOurs(labels: $0.labels, name: $0.name, id: $0.id) }
        return ours.first { $0.id == record.ids[wanted.name] } ?? ours.first
    }

    // MARK: - What must not be

    private mutating func findWhatBlocks() {
        for container in desired.containers {
            for other in observed.containers where other.name == container.name {
                guard !isOurs(labels: other.labels, name: other.name, id: other.id) else { continue }
                taken(.container(container.role), other.name, by: holder("container", other.id, other.labels))
            }
        }
        for network in desired.networks {
            let named = observed.networks.filter { $0.name == network.name }
            if network.isExternal {
                if named.isEmpty { plan.findings.append(.externalNetworkMissing(network.name)) }
                continue
            }
            for other in named where !isOurs(labels: other.labels, name: other.name, id: other.id) {
                taken(.network(network.role), other.name, by: holder("network", other.id, other.labels))
            }
        }
        for volume in desired.volumes {
            for other in observed.volumes where other.name == volume.name {
                guard !isOurs(labels: other.labels, name: other.name, id: other.name) else { continue }
                taken(.volume(volume.name), other.name, by: holder("volume", other.name, other.labels))
            }
        }
        for image in desired.images {
            guard let found = observed.images[image.reference] else { continue }
            if found.labels.keys.contains(where: { $0.hasPrefix(Labels.prefix) }) {
                plan.findings.append(.imageForgesLabels(role: image.role, reference: image.reference))
            }
        }
    }

    private mutating func taken(_ object: ObjectName, _ name: String, by holder: String) {
        plan.findings.append(.nameTaken(object: object, name: name, holder: holder))
    }

    private func holder(_ kind: String, _ id: String, _ labels: [String: String]) -> String {
        let short = "\(kind) \(id.prefix(12))"
        guard labels[Labels.managedBy] == "bottle" else { return "\(short), which carries no label of bottle" }
        guard labels[Labels.installation] == record.installation else {
            return "\(short) of another installation of bottle (\(labels[Labels.installation] ?? "unnamed"))"
        }
        return "\(short), which carries our labels but is in no record of this state folder"
    }

    // MARK: - Ways out that should not be

    /// Takes our containers off networks they have no business on; always first, since such a network may be a way out.
    private mutating func planDetachments() {
        for wanted in desired.containers.sorted(by: { $0.role < $1.role }) {
            guard let container = container(wanted.role) else { continue }
            let allowed = Set(wanted.endpoints.compactMap { network($0.network)?.id })
            let allowedNames = Set(wanted.endpoints.compactMap { desired.network($0.network)?.name })
            for endpoint in container.endpoints where !allowed.contains(endpoint.networkID) {
                // A dangling id under one of our own names is not a foreign network: `fate` deals with it.
                if allowedNames.contains(endpoint.networkName), observed.network(id: endpoint.networkID) == nil {
                    continue
                }
                let object = ObjectName.container(wanted.role)
                add(
                    Action(
                        .disconnect,
                        object,
                        .foreignNetwork,
                        target: container.id,
                        networkID: endpoint.networkID
                    )
                )
                note(.foreignNetwork, object, "is attached to the network \(endpoint.networkName)", unless: false)
            }
        }
    }

    // MARK: - Images

    private mutating func planImages() {
        for image in desired.images {
            let found = observed.images[image.reference]
            switch image.source {
            case .registry:
                if found == nil { steps.images.append(add(Action(.pull, .image(image.role), .missing))) }
            case .bundled, .stored:
                if found == nil {
                    steps.images.append(add(Action(.build, .image(image.role), .missing)))
                } else if found?.labels[DesiredImage.contextLabel] != image.context?.hex {
                    steps.images.append(add(Action(.build, .image(image.role), .contextChanged)))
                }
            }
        }
    }

    // MARK: - Which containers stay

    /// What becomes of a container that is wanted.
    private enum Fate {
        case kept
        case made(Reason)
        case replaced(Reason)

        var isNew: Bool { if case .kept = self { false } else { true } }
        var isReplaced: Bool { if case .replaced = self { true } else { false } }

        var reason: Reason {
            switch self {
            case .kept: .missing
            case .made(let reason), .replaced(let reason): reason
            }
        }
    }

    private mutating func fate(of wanted: DesiredContainer) -> Fate {
        let object = ObjectName.container(wanted.role)
        let settled = record.converged?.specs[wanted.role.rawValue]
        let unchanged = settled != nil && settled == wanted.specHash?.text
        guard let container = container(wanted.role) else {
            if wanted.role == .agent, settled == nil || !unchanged { return .made(.missing) }
            note(.missing, object, "is gone", unless: !unchanged)
            return .made(.missing)
        }
        if container.state == .dead || container.state == .removing { return .replaced(.stopped) }
        guard let reason = difference(wanted, container) else { return .kept }
        if wanted.role == .agent, container.isLiving, record.agentIntent == wanted.intentHash.text {
            plan.findings.append(.replacementPending(reason: reason))
            return .kept
        }
        note(reason, object, "was made from another description", unless: !unchanged)
        return .replaced(reason)
    }

    private func difference(_ wanted: DesiredContainer, _ container: ObservedContainer) -> Reason? {
        if let hash = container.specHash, let wantedHash = wanted.specHash, hash == wantedHash {
            return hasDanglingNetwork(wanted, container) && !container.isLiving ? .networkGone : nil
        }
        if let id = wanted.imageID, id != container.imageID { return .imageChanged }
        return wanted.specHash == nil ? nil : .specChanged
    }

    private func hasDanglingNetwork(_ wanted: DesiredContainer, _ container: ObservedContainer) -> Bool {
        container.endpoints.contains { observed.network(id: $0.networkID) == nil }
    }

    private mutating func planRemovals(
        of replaced: [DesiredContainer],
        because fates: [(container: DesiredContainer, fate: Fate)]
    ) {
        let wantedRoles = Set(desired.containers.map(\.role))
        let leaving = owned.filter { container in container.role.map { !wantedRoles.contains($0) } ?? false }
        for container in leaving.sorted(by: { $0.name < $1.name }) {
            guard let role = container.role else { continue }
            steps.removals.append(add(Action(.remove, .container(role), .notDesired, target: container.id)))
        }
        for wanted in replaced {
            guard let container = container(wanted.role) else { continue }
            let reason = fates.first { $0.container.role == wanted.role }?.fate.reason ?? .specChanged
            let object = ObjectName.container(wanted.role)
            var before = steps.images
            if wanted.role == .agent, container.isLiving {
                before = [add(Action(.stop, object, reason, target: container.id, after: before))]
            }
            steps.removals.append(add(Action(.remove, object, reason, target: container.id, after: before)))
        }
    }

    // MARK: - Networks and volumes

    private mutating func planNetworks(keeping containers: [DesiredContainer]) {
        for wanted in desired.networks where !wanted.isExternal {
            let object = ObjectName.network(wanted.role)
            guard let found = network(wanted.role) else {
                let known = record.converged != nil
                note(.missing, object, "is gone", unless: !known)
                steps.networks[wanted.role] = [add(Action(.create, object, .missing, after: steps.removals))]
                continue
            }
            guard !matches(found, wanted) else { continue }
            var before = steps.removals
            for container in containers {
                guard let there = self.container(container.role) else { continue }
                for endpoint in there.endpoints where endpoint.networkID == found.id {
                    before.append(
                        add(
                            Action(
                                .disconnect,
                                .container(container.role),
                                .networkChanged,
                                network: wanted.role,
                                target: there.id,
                                networkID: found.id
                            )
                        )
                    )
                }
            }
            let removal = add(Action(.remove, object, .networkChanged, target: found.id, after: before))
            steps.networks[wanted.role] = [add(Action(.create, object, .networkChanged, after: [removal]))]
        }
    }

    private func matches(_ found: ObservedNetwork, _ wanted: DesiredNetwork) -> Bool {
        found.isInternal == wanted.isInternal && wanted.subnet.map { found.subnets == [$0] } ?? true
            && wanted.options.allSatisfy { found.options[$0.key] == $0.value }
    }

    private mutating func planVolumes() {
        let present = Set(ownedVolumes.map(\.name))
        for volume in desired.volumes where !present.contains(volume.name) {
            steps.volumes[volume.name] = add(Action(.create, .volume(volume.name), .missing))
        }
    }

    // MARK: - Containers

    private mutating func planCreation(of wanted: DesiredContainer, _ fate: Fate) {
        var before = steps.images + steps.removals
        before += wanted.endpoints.flatMap { steps.networks[$0.network] ?? [] }
        before += wanted.spec.mounts.compactMap { steps.volumes[$0.volume] }
        steps.containers[wanted.role] = add(
            Action(
                .create,
                .container(wanted.role),
                fate.reason,
                after: Array(Set(before)).sorted(),
                startsAfter: wanted.role == .agent ? steps.containers.values.sorted() : []
            )
        )
    }

    /// Closing goes from the agent outwards, opening from the outside in.
    private func inReloadOrder(_ containers: [DesiredContainer]) -> [DesiredContainer] {
        let closing = containers.contains { withdrawsPermissions($0) }
        let order: [Role] = closing ? [.egressProxy, .firewall] : [.firewall, .egressProxy]
        func rank(_ role: Role) -> Int { order.firstIndex(of: role) ?? order.count }
        return containers.sorted { (rank($0.role), $0.role) < (rank($1.role), $1.role) }
    }

    /// Whether what is in force at a sidecar allows something that the wanted files don't.
    private func withdrawsPermissions(_ wanted: DesiredContainer) -> Bool {
        guard let container = container(wanted.role), container.isRunning, let inForce = container.loaded?.inForce,
            inForce != wanted.generation, !wanted.permissions.isEmpty || wanted.role == .firewall
        else { return false }
        guard let allowed = record.permissions[wanted.role.rawValue]?[inForce.hex] else { return true }
        return !Set(allowed).isSubset(of: wanted.permissions)
    }

    private mutating func planUpkeep(of wanted: DesiredContainer) {
        guard let container = container(wanted.role) else { return }
        let object = ObjectName.container(wanted.role)
        var before = precedingReload(of: wanted.role)
        if container.state == .paused {
            note(.paused, object, "is paused", unless: false)
            before = [add(Action(.unpause, object, .paused, target: container.id, after: before))]
        }
        before += planEndpoints(of: wanted, container)
        if !wanted.limits.areMet(by: container.limits) {
            before.append(add(Action(.update, object, .limitsChanged, target: container.id)))
        }
        let copies = planCopies(of: wanted, container, after: before)
        if !copies.isEmpty { before = copies }
        if !container.isLiving {
            planStart(of: wanted, container, after: before)
        } else {
            planReload(of: wanted, container, after: before, copied: !copies.isEmpty)
        }
    }

    /// What a sidecar's reload waits for: everything planned for the sidecars before it.
    private func precedingReload(of role: Role) -> [Int] {
        steps.containers.filter { $0.key != role && $0.key != .agent }.values.sorted()
    }

    private mutating func planEndpoints(of wanted: DesiredContainer, _ container: ObservedContainer) -> [Int] {
        let object = ObjectName.container(wanted.role)
        var done: [Int] = []
        for endpoint in wanted.endpoints {
            let network = network(endpoint.network)
            let made = steps.networks[endpoint.network] ?? []
            let present = container.endpoints.first { $0.networkID == network?.id }
            var before = made
            var reason = made.isEmpty ? Reason.disconnected : .networkChanged
            if let present, let network, made.isEmpty {
                guard let address = endpoint.address, present.address != address else { continue }
                reason = .addressWrong
                before = [
                    add(
                        Action(
                            .disconnect,
                            object,
                            reason,
                            network: endpoint.network,
                            target: container.id,
                            networkID: network.id
                        )
                    )
                ]
            }
            if made.isEmpty {
                note(reason, object, "is not on the \(endpoint.network.rawValue) network as planned", unless: false)
            }
            done.append(
                add(
                    Action(.connect, object, reason, network: endpoint.network, target: container.id, after: before)
                )
            )
        }
        return done
    }

    private mutating func planCopies(
        of wanted: DesiredContainer,
        _ container: ObservedContainer,
        after before: [Int]
    ) -> [Int] {
        let object = ObjectName.container(wanted.role)
        var copies: [Int] = []
        for file in wanted.files {
            guard let look = container.files[file.path] else { continue }
            if let found = look, found.shows(file) { continue }
            let reason: Reason = look == nil ? .fileMissing : .fileChanged
            let settled = record.converged?.stamps[BottleRecord.Converged.key(wanted.role, file.path)]
            note(
                reason,
                object,
                look == nil ? "\(file.path) is gone" : "\(file.path) is not as it was put there",
                unless: settled != BottleRecord.Converged.value(file)
            )
            copies.append(add(Action(.copy, object, reason, path: file.path, target: container.id, after: before)))
        }
        return copies
    }

    private mutating func planStart(of wanted: DesiredContainer, _ container: ObservedContainer, after before: [Int]) {
        let object = ObjectName.container(wanted.role)
        if container.state == .created {
            let gates = wanted.role == .agent ? steps.containers.values.sorted() : []
            steps.containers[wanted.role] = add(
                Action(.start, object, .neverStarted, target: container.id, after: before + gates)
            )
            return
        }
        if wanted.role == .agent {
            let restarts =
                switch wanted.restart {
                case .never: false
                case .onFailure: container.exitCode != 0
                case .always: true
                }
            guard restarts else {
                plan.findings.append(.agentEnded(exitCode: container.exitCode))
                return
            }
            steps.containers[.agent] = add(Action(.start, object, .ended, target: container.id, after: before))
            return
        }
        note(
            .stopped,
            object,
            container.wasKilledForMemory ? "was killed for its memory" : "has stopped",
            unless: false
        )
        steps.containers[wanted.role] = add(Action(.start, object, .stopped, target: container.id, after: before))
    }

    private mutating func planReload(
        of wanted: DesiredContainer,
        _ container: ObservedContainer,
        after before: [Int],
        copied: Bool
    ) {
        guard let generation = wanted.generation else {
            if let last = before.last { steps.containers[wanted.role] = last }
            return
        }
        let object = ObjectName.container(wanted.role)
        let reloads = plan.actions.contains { action in
            action.verb == .copy && action.object == object
                && wanted.files.contains { $0.path == action.path && $0.isReloadable }
        }
        let fixedFileChanged =
            copied
            && plan.actions.contains { action in
                action.verb == .copy && action.object == object
                    && wanted.files.contains { $0.path == action.path && !$0.isReloadable }
            }
        let inForce = container.loaded?.inForce
        if fixedFileChanged || withdrawsPermissions(wanted) {
            let reason: Reason = fixedFileChanged ? .filesCopied : .permissionWithdrawn
            steps.containers[wanted.role] = add(
                Action(.restart, object, reason, target: container.id, after: before)
            )
        } else if reloads {
            steps.containers[wanted.role] = add(
                Action(.signal, object, .filesCopied, target: container.id, after: before)
            )
        } else if inForce != generation {
            if let refusal = container.loaded?.refusal, refusal.generation == generation {
                plan.findings.append(.reloadRefused(role: wanted.role, reason: refusal.reason))
                return
            }
            let settled = record.converged?.generations[wanted.role.rawValue]
            note(
                .otherGeneration,
                object,
                "has not loaded the files it was given",
                unless: container.loaded == nil || settled != generation.hex
            )
            steps.containers[wanted.role] = add(
                Action(.signal, object, .otherGeneration, target: container.id, after: before)
            )
        }
    }

    // MARK: - What is left

    private mutating func planLeftovers() {
        let wanted = Set(desired.networks.map(\.name))
        for network in ownedNetworks where !wanted.contains(network.value.name) {
            guard let role = network.role else { continue }
            add(Action(.remove, .network(role), .notDesired, target: network.value.id, after: afterEverything))
        }
        let volumes = Set(desired.volumes.map(\.name))
        for volume in ownedVolumes where !volumes.contains(volume.name) && !isPrecious(volume) {
            add(Action(.remove, .volume(volume.name), .notDesired, target: volume.name, after: afterEverything))
        }
    }

    private var afterEverything: [Int] { Array(plan.actions.indices) }

    private func isPrecious(_ volume: ObservedVolume) -> Bool {
        ["home", "workspace"].contains(volume.labels[Labels.role])
    }

    /// Reports a difference as drift, unless the desired state changed in that very point.
    private mutating func note(_ kind: Reason, _ object: ObjectName, _ cause: String, unless desiredChanged: Bool) {
        guard record.converged != nil, !desiredChanged else { return }
        plan.drift.append(Drift(kind: kind.rawValue, object: object, cause: cause))
    }
}
