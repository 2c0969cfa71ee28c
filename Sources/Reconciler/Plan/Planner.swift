/// Makes the plan: a pure function of what should be, what is, and what we remember.
///
/// Tests hold it to these rules. Planning again after performing gives an empty plan. It touches nothing that isn't
/// ours. The same input gives the same plan. A living agent ends only by a desired-state edit.
package struct Planner {
    let desired: DesiredBottle
    let observed: ObservedBottle
    let record: BottleRecord
    let letsAgentRest: Bool
    let silent: Set<Role>
    var plan: Plan
    var steps = Steps()

    /// Positions in the plan of what later actions wait for.
    struct Steps {
        var detachments: [Int] = []
        var images: [Int] = []
        var removals: [Int] = []
        var networks: [NetworkRole: [Int]] = [:]
        /// Removals of further networks of the same name.
        var twins: [NetworkRole: [Int]] = [:]
        var volumes: [String: Int] = [:]
        /// Removals of exits that have other rules in force than the wanted ones, with their ranks.
        var staleExits: [(rank: Int, removal: Int)] = []
        /// The last actions of each container.
        var containers: [Role: [Int]] = [:]

        /// The last actions of all `roles` in the plan's order, and every detachment: a way out that should not be is
        /// shut first.
        func last(of roles: some Sequence<Role>) -> [Int] {
            Set(detachments + roles.flatMap { containers[$0] ?? [] }).sorted()
        }

        /// What a start waits for: the engine finds a container's networks by name when it has not been on them yet, and
        /// refuses the start while a name is ambiguous.
        func unambiguous(_ wanted: DesiredContainer) -> [Int] { wanted.endpoints.flatMap { twins[$0.network] ?? [] } }
    }

    private init(
        desired: DesiredBottle,
        observed: ObservedBottle,
        record: BottleRecord,
        letsAgentRest: Bool = false,
        silent: Set<Role> = []
    ) {
        self.desired = desired
        self.observed = observed
        self.record = record
        self.letsAgentRest = letsAgentRest
        self.silent = silent
        plan = Plan(identity: desired.identity)
    }

    /// The plan that makes `observed` into `desired`.
    ///
    /// - Parameters:
    ///   - letsAgentRest: whether an agent that ended stays ended, even if its `restart` starts it again.
    ///   - silent: the sidecars that never said what they have loaded since their start, though a pass waited for it.
    package static func plan(
        desired: DesiredBottle,
        observed: ObservedBottle,
        record: BottleRecord,
        letsAgentRest: Bool = false,
        silent: Set<Role> = []
    ) -> Plan {
        var planner = Planner(
            desired: desired,
            observed: observed,
            record: record,
            letsAgentRest: letsAgentRest,
            silent: silent
        )
        planner.makePlan()
        return planner.plan
    }

    /// The plan that removes everything that is ours of the bottle, its volumes included.
    package static func teardown(_ identity: Identity, observed: ObservedBottle, record: BottleRecord) -> Plan {
        let nothing = DesiredBottle(identity: identity, revision: nil)
        var planner = Planner(desired: nothing, observed: observed, record: record)
        planner.makeTeardown()
        return planner.plan
    }

    /// The engine's ids of the bottle's networks that exist, by role: those the plan is about.
    package static func networkIDs(
        desired: DesiredBottle,
        observed: ObservedBottle,
        record: BottleRecord
    ) -> [NetworkRole: NetworkID] {
        let planner = Planner(desired: desired, observed: observed, record: record)
        return Dictionary(
            uniqueKeysWithValues: NetworkRole.allCases.compactMap { role in
                planner.network(role).map { (role, $0.id) }
            }
        )
    }

    private mutating func makePlan() {
        findWhatBlocks()
        guard !plan.findings.contains(where: \.blocks) else { return }
        let fates = desired.containers.map { ContainerFate(container: $0, fate: fate(of: $0)) }
        planDetachments(fates)
        planImages()
        foreseeReplacement()
        planRemovals(fates)
        planNetworks(keeping: fates.filter { !$0.fate.isNew }.map(\.container))
        planVolumes()
        for (container, fate) in inOrder(fates).map({ ($0.container, $0.fate) }) {
            switch fate {
            case .made(let reason), .replaced(let reason): planCreation(of: container, reason, beside: fates)
            case .kept: planUpkeep(of: container)
            case .ended(let exitCode): plan.findings.append(.agentEnded(exitCode: exitCode))
            }
        }
        planLeftovers()
        findForeignContainers()
    }

    private mutating func makeTeardown() {
        for container in owned {
            guard let role = container.role else { continue }
            let stop = container.isLiving && role == .agent ? [addStop(of: container, .deleted)] : []
            steps.removals.append(
                add(Action(.remove, .container(role), .deleted, container: container.id, after: stop))
            )
        }
        for network in ownedNetworks {
            guard let role = network.role else { continue }
            add(Action(.remove, .network(role), .deleted, networkID: network.value.id, after: steps.removals))
        }
        for volume in ownedVolumes {
            add(Action(.remove, .volume(volume.name), .deleted, after: steps.removals))
        }
    }

    /// Opening goes from the outside in, closing from the inside out, and the agent comes last.
    private func inOrder(_ fates: [ContainerFate]) -> [ContainerFate] {
        let closing =
            fates.contains { !$0.fate.isNew && withdrawsPermissions($0.container) } || mustMendBeforeOpening(fates)
        func rank(_ container: DesiredContainer) -> Int {
            if container.role == .agent { return .max }
            guard let rank = container.exitRank else { return .max - 1 }
            return closing ? -rank : rank
        }
        return fates.sorted { left, right in
            (rank(left.container), left.container.role) < (rank(right.container), right.container.role)
        }
    }

    /// Whether an inner exit must load its rules before an outer one lets more through: while the outer one is down, or
    /// while the inner one has rules in force that we never gave it.
    private func mustMendBeforeOpening(_ fates: [ContainerFate]) -> Bool {
        let exits = fates.filter { $0.container.exitRank != nil }
        return exits.contains { inner in
            let role = inner.container.role
            guard !inner.fate.isNew, let inForce = container(role)?.loaded?.inForce,
                inForce != inner.container.generation
            else { return false }
            let isUnknown = record.permissions[role.rawValue]?[inForce.hex] == nil
            return exits.contains { outer in
                guard let rank = inner.container.exitRank, let further = outer.container.exitRank, further < rank
                else { return false }
                return isUnknown || outer.fate.isNew || isShut(outer.container)
            }
        }
    }

    /// The removals of stale exits further in, whose rules this exit would open.
    func stale(behind wanted: DesiredContainer) -> [Int] {
        guard let rank = wanted.exitRank else { return [] }
        return steps.staleExits.filter { $0.rank > rank }.map(\.removal)
    }

    /// What is done already to exits further in than this one.
    func furtherIn(than wanted: DesiredContainer) -> [Int] {
        guard let rank = wanted.exitRank else { return [] }
        return desired.containers.filter { ($0.exitRank ?? rank) > rank }.flatMap { steps.containers[$0.role] ?? [] }
    }

    /// Whether an exit lets nothing through: it is not running, or is off one of its networks.
    private func isShut(_ exit: DesiredContainer) -> Bool {
        guard let container = container(exit.role), container.isRunning else { return true }
        let joined = Set(container.endpoints.compactMap { network(of: $0)?.id })
        return !exit.endpoints.allSatisfy { network($0.network).map { joined.contains($0.id) } ?? false }
    }

    /// Appends `action` and returns its position.
    @discardableResult
    mutating func add(_ action: Action) -> Int {
        plan.actions.append(action)
        return plan.actions.count - 1
    }

    /// Whether the desired state is another than the one last converged to.
    var isEdited: Bool { record.converged?.revision != desired.revision }

    /// Reports a difference as drift, unless it comes from a change of the desired state in that very point.
    mutating func note(_ kind: Reason, _ object: ObjectName, _ cause: String, unless desiredChanged: Bool = false) {
        guard record.converged != nil, !desiredChanged else { return }
        plan.drift.append(Drift(kind: kind, object: object, cause: cause))
    }
}
