/// Which containers are kept, removed and created, and the images they need.
extension Planner {
    /// What becomes of a desired container.
    enum Fate: Hashable {
        case kept
        case made(Reason)
        case replaced(Reason)
        /// It ended, was removed since, and its restart policy leaves it so.
        case ended(exitCode: Int)

        var isNew: Bool {
            switch self {
            case .made, .replaced: true
            case .kept, .ended: false
            }
        }
    }

    struct ContainerFate {
        var container: DesiredContainer
        var fate: Fate
    }

    /// Gets the images that are missing or built from something else.
    mutating func planImages() {
        for image in desired.images {
            let object = ObjectName.image(image.role)
            let found = observed.images[image.reference]
            if found == nil { note(.missing, object, "is gone", unless: isEdited) }
            switch image.source {
            case .registry:
                if found == nil { steps.images.append(add(Action(.pull, object, .missing))) }
            case .bundled, .stored:
                if found == nil {
                    steps.images.append(add(Action(.build, object, .missing)))
                } else if found?.isMade(as: image) == false {
                    steps.images.append(add(Action(.build, object, .contextChanged)))
                }
            }
        }
    }

    /// Decides what becomes of `wanted`, and notes what differs.
    mutating func fate(of wanted: DesiredContainer) -> Fate {
        let object = ObjectName.container(wanted.role)
        let settled = record.converged?.specs[wanted.role.rawValue]
        let isChange = isEdited && (settled == nil || settled != wanted.specHash?.text)
        guard let container = container(wanted.role) else {
            if wanted.role == .agent, isForRecordedIntent(wanted), let exitCode = record.agentExit,
                wanted.restart.leaves(ended: exitCode)
            {
                return .ended(exitCode: exitCode)
            }
            note(.missing, object, "is gone", unless: isChange)
            return .made(.missing)
        }
        if container.state == .dead || container.state == .removing {
            note(.stopped, object, "is \(container.state.rawValue)")
            return .replaced(.stopped)
        }
        guard let reason = difference(wanted, container) else { return .kept }
        if wanted.role == .agent, isForRecordedIntent(wanted) {
            if container.isLiving {
                plan.findings.append(.replacementPending(reason: reason))
                note(reason, object, "is not what its unchanged description would be made into now")
                return .kept
            }
            // Work that ended is started again only by an edit.
            if hasEnded(container), wanted.restart.leaves(ended: container.exitCode) { return .kept }
        }
        note(reason, object, cause(of: reason), unless: isChange)
        return .replaced(reason)
    }

    private func cause(of reason: Reason) -> String {
        switch reason {
        case .networkGone: "is on a network that is gone"
        case .imageChanged: "runs another image than its name stands for now"
        case .renamed: "has another name"
        default: "was made from another description"
        }
    }

    /// Whether the container's program ran and ended.
    func hasEnded(_ container: ObservedContainer) -> Bool { container.state == .exited || container.state == .dead }

    /// Whether the recorded agent was made for what is desired now, so that another one was not asked for.
    ///
    /// Without an edit the intent is the same, even if this version of the program describes the agent differently.
    private func isForRecordedIntent(_ wanted: DesiredContainer) -> Bool {
        guard let intent = record.agentIntent.map(SpecHash.init(label:)) else { return false }
        return intent == wanted.intentHash || !isEdited
    }

    private func difference(_ wanted: DesiredContainer, _ container: ObservedContainer) -> Reason? {
        specDifference(wanted, container) ?? (container.name == wanted.name ? nil : .renamed)
    }

    /// Why this container's creation differs from what we would create now; nil if it doesn't.
    ///
    /// The label alone proves nothing: every client of the engine can put it on another container. So the image and the
    /// confinement that the engine shows come first. A new id proves nothing either: we record an id after the
    /// container is made, and a kill in between leaves the old one.
    private func specDifference(_ wanted: DesiredContainer, _ container: ObservedContainer) -> Reason? {
        let isStranded = !container.isLiving && container.endpoints.contains { network(of: $0) == nil }
        if let id = wanted.imageID, id != container.imageID { return .imageChanged }
        if wanted.specHash != nil, let confinement = container.confinement, !confinement.meets(wanted.spec) {
            return .specChanged
        }
        if let hash = container.specHash, hash == wanted.specHash { return isStranded ? .networkGone : nil }
        // A hash of another version can't be compared, so only an edit counts as a difference.
        if let hash = container.specHash, !hash.isKnownVersion, !isEdited { return isStranded ? .networkGone : nil }
        return wanted.specHash == nil ? nil : .specChanged
    }

    /// Removes the containers that are not desired, and those that are recreated.
    mutating func planRemovals(_ fates: [ContainerFate]) {
        let chosen = Set(desired.containers.compactMap { container($0.role)?.id })
        for container in owned where !chosen.contains(container.id) {
            // A second agent can't be created again under its name; we don't end what lives in it.
            guard let role = container.role, role != .agent || !container.isLiving else { continue }
            note(.notDesired, .container(role), "is there, but not wanted", unless: isEdited)
            steps.removals.append(add(Action(.remove, .container(role), .notDesired, container: container.id)))
        }
        for (wanted, fate) in fates.map({ ($0.container, $0.fate) }) {
            guard case .replaced(let reason) = fate, let container = container(wanted.role) else { continue }
            let object = ObjectName.container(wanted.role)
            var before = steps.detachments + steps.images
            if wanted.role == .agent, container.isLiving {
                before = [addStop(of: container, reason, after: before)]
            }
            let removal = add(Action(.remove, object, reason, container: container.id, after: before))
            steps.removals.append(removal)
            if let rank = wanted.exitRank, container.loaded?.inForce != wanted.generation {
                steps.staleExits.append((rank, removal))
            }
        }
    }

    /// Ends a living agent; returns the position.
    mutating func addStop(of agent: ObservedContainer, _ reason: Reason, after: [Int] = []) -> Int {
        plan.replacesAgent = true
        return add(Action(.stop, .container(.agent), reason, container: agent.id, after: after))
    }

    /// Foresees that a later plan replaces a living agent.
    ///
    /// While its image is missing, not rebuilt yet or not inspected, the agent can't be compared with what it should
    /// be.
    mutating func foreseeReplacement() {
        guard let wanted = desired.container(.agent), container(.agent)?.isLiving == true,
            !isForRecordedIntent(wanted)
        else { return }
        let isImagePending = steps.images.contains { plan.actions[$0].object == .image(.agent) }
        if isImagePending || wanted.specHash == nil { plan.replacesAgent = true }
    }

    /// Creates a container.
    ///
    /// Its start waits for the sidecars before it; the agent's start waits for all of them.
    mutating func planCreation(of wanted: DesiredContainer, _ reason: Reason, beside fates: [ContainerFate]) {
        var before = steps.images + steps.removals
        before += wanted.endpoints.flatMap { steps.networks[$0.network] ?? [] }
        before += wanted.spec.mounts.compactMap { steps.volumes[$0.volume] }
        // New sidecars start side by side; one that runs already is changed in the order of `inOrder`.
        let gates = wanted.role == .agent ? fates : fates.filter { !$0.fate.isNew }
        let action = Action(
            .create,
            .container(wanted.role),
            reason,
            after: Set(before).sorted(),
            startsAfter: Set(steps.last(of: gates.map(\.container.role)) + steps.unambiguous(wanted)).sorted()
        )
        steps.containers[wanted.role] = [add(action)]
    }
}

extension RestartPolicy {
    /// Whether a program that ended with `exitCode` is left so.
    func leaves(ended exitCode: Int) -> Bool {
        switch self {
        case .never: true
        case .onFailure: exitCode == 0
        case .always: false
        }
    }
}
