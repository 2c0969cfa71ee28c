/// What a container needs that stays: its state, networks, limits, files and what it has loaded.
extension Planner {
    mutating func planUpkeep(of wanted: DesiredContainer) {
        guard let container = container(wanted.role) else { return }
        let object = ObjectName.container(wanted.role)
        if wanted.role == .agent, hasEnded(container), wanted.restart.leaves(ended: container.exitCode) {
            plan.findings.append(.agentEnded(exitCode: container.exitCode))
            return
        }
        if wanted.role == .agent, hasEnded(container), letsAgentRest {
            plan.findings.append(.agentRests)
            return
        }
        let start = plan.actions.count
        var before = steps.last(of: Role.allCases)
        let stale = stale(behind: wanted)
        if container.state == .paused {
            note(.paused, object, "is paused")
            before = [add(Action(.unpause, object, .paused, container: container.id, after: before + stale))]
        }
        before += planEndpoints(of: wanted, container, after: furtherIn(than: wanted) + stale)
        before += planUpdate(of: wanted, container)
        planContent(
            of: wanted,
            container,
            after: before,
            opensAfter: stale,
            reattached: isReattached(wanted, since: start)
        )
        // Actions that wait for this container wait for all that is done to it.
        let awaited = Set(plan.actions[start...].flatMap(\.after))
        let last = plan.actions.indices[start...].filter { !awaited.contains($0) }
        if !last.isEmpty { steps.containers[wanted.role] = last }
    }

    /// Whether a sidecar is put back on its clients' network.
    ///
    /// It listens on one interface, and that one is gone. Only a restart is sure to open the port on the new one.
    private func isReattached(_ wanted: DesiredContainer, since start: Int) -> Bool {
        guard wanted.reload == .signal, let served = wanted.endpoints.first?.network else { return false }
        return plan.actions[start...].contains { $0.verb == .connect && $0.network == served }
    }

    /// Corrects what the engine can change in place; returns the update.
    private mutating func planUpdate(of wanted: DesiredContainer, _ container: ObservedContainer) -> [Int] {
        let object = ObjectName.container(wanted.role)
        let names = Set(container.limits.names).subtracting(wanted.limits.names).sorted()
        // The engine can't take a limit away in place, and this alone is no reason to end what lives in it.
        if !names.isEmpty {
            note(.limitsChanged, object, "has limits that nobody asked for: \(names.joined(separator: ", "))")
        }
        let isLimited = wanted.limits.areMet(by: container.limits)
        if !isLimited { note(.limitsChanged, object, "has other limits", unless: isEdited) }
        if container.restartsItself { note(.limitsChanged, object, "would be started again by the engine itself") }
        guard !isLimited || container.restartsItself else { return [] }
        return [add(Action(.update, object, .limitsChanged, container: container.id))]
    }

    /// A managed file that is not as it should be.
    private typealias FileDifference = (file: DesiredFile, reason: Reason)

    private mutating func planContent(
        of wanted: DesiredContainer,
        _ container: ObservedContainer,
        after before: [Int],
        opensAfter stale: [Int],
        reattached: Bool
    ) {
        let object = ObjectName.container(wanted.role)
        let differences = fileDifferences(wanted, container)
        let fixed = differences.filter { !$0.file.isReloadable }
        // We can't see from outside which content of such a file a program runs with. So the container is stopped while
        // the file is corrected. If the process dies in between, the next pass finds it stopped and starts it.
        let halts = container.isLiving && wanted.reload == .signal && !fixed.isEmpty
        var before = before
        if halts { before = [add(Action(.stop, object, fixed[0].reason, container: container.id, after: before))] }
        let copies = differences.map { file, reason in
            add(Action(.copy, object, reason, path: file.path, container: container.id, after: before))
        }
        if !copies.isEmpty { before = copies }
        before = Set(before + stale).sorted()
        if halts {
            add(Action(.start, object, .filesCopied, container: container.id, after: before))
        } else if container.isLiving, reattached {
            add(Action(.restart, object, .disconnected, container: container.id, after: before))
        } else if container.isLiving {
            planReload(of: wanted, container, after: before, copied: !copies.isEmpty)
        } else {
            planStart(of: wanted, container, after: before)
        }
    }

    private mutating func fileDifferences(
        _ wanted: DesiredContainer,
        _ container: ObservedContainer
    ) -> [FileDifference] {
        var differences: [FileDifference] = []
        for file in wanted.files {
            guard let look = container.files[file.path] else { continue }
            if let found = look, found.shows(file) { continue }
            let reason: Reason = look == nil ? .fileMissing : .fileChanged
            let settled = record.converged?.stamps[BottleRecord.Converged.key(wanted.role, file.path)]
            note(
                reason,
                .container(wanted.role),
                look == nil ? "\(file.path) is gone" : "\(file.path) is not as it was put there",
                unless: container.state == .created || settled != BottleRecord.Converged.value(file)
            )
            differences.append((file, reason))
        }
        return differences
    }

    private mutating func planStart(of wanted: DesiredContainer, _ container: ObservedContainer, after before: [Int]) {
        let object = ObjectName.container(wanted.role)
        let reason: Reason
        if container.state == .created {
            reason = .neverStarted
        } else if wanted.role == .agent {
            reason = .ended
        } else {
            reason = .stopped
            note(.stopped, object, container.wasKilledForMemory ? "was killed for its memory" : "has stopped")
        }
        let waits = Set(before + steps.unambiguous(wanted)).sorted()
        add(Action(.start, object, reason, container: container.id, after: waits))
    }

    // MARK: - What is in force

    /// Whether what is in force at a sidecar allows something that the wanted files don't.
    ///
    /// When that can't be known, the answer is yes. Only a sidecar whose `withdrawal` is by restart is asked.
    func withdrawsPermissions(_ wanted: DesiredContainer) -> Bool {
        guard let container = container(wanted.role), container.isLiving,
            wanted.withdrawal == .restart
        else { return false }
        guard let loaded = container.loaded else {
            // It has said nothing since its start, so it may have read the files that are about to be replaced.
            return wanted.files.contains { file in
                guard file.isReloadable, let look = container.files[file.path] else { return false }
                return look?.shows(file) != true
            }
        }
        guard let inForce = loaded.inForce, inForce != wanted.generation else { return false }
        guard let allowed = record.permissions[wanted.role.rawValue]?[inForce.hex] else { return true }
        return !Set(allowed).isSubset(of: wanted.permissions)
    }

    private mutating func planReload(
        of wanted: DesiredContainer,
        _ container: ObservedContainer,
        after before: [Int],
        copied: Bool
    ) {
        guard let generation = wanted.generation, copied || container.loaded?.inForce != generation else { return }
        if let refusal = container.loaded?.refusal, refusal.generation == generation {
            plan.findings.append(.reloadRefused(role: wanted.role, reason: refusal.reason))
            return
        }
        let object = ObjectName.container(wanted.role)
        if container.loaded == nil, silent.contains(wanted.role) {
            note(.silent, object, "has not said since its start what it has loaded")
            add(Action(.restart, object, .silent, container: container.id, after: before))
            return
        }
        if !copied {
            let settled = record.converged?.generations[wanted.role.rawValue]
            note(
                .otherGeneration,
                object,
                "has not loaded the files it was given",
                unless: container.loaded == nil || settled != generation.hex
            )
        }
        if withdrawsPermissions(wanted) {
            add(Action(.restart, object, .permissionWithdrawn, container: container.id, after: before))
        } else {
            let reason: Reason = copied ? .filesCopied : .otherGeneration
            add(Action(.signal, object, reason, container: container.id, after: before))
        }
    }
}
