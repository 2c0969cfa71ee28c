/// Networks and volumes, and who is attached to what.
extension Planner {
    /// Disconnects our containers from networks they should not be on.
    ///
    /// This comes first, since such a network may be a way out.
    mutating func planDetachments(_ fates: [ContainerFate]) {
        let ours = Set(ownedNetworks.map(\.value.id))
        for (wanted, fate) in fates.map({ ($0.container, $0.fate) }).sorted(by: { $0.0.role < $1.0.role }) {
            guard let container = container(wanted.role) else { continue }
            let allowed = Set(wanted.endpoints.compactMap { network($0.network)?.id })
            for endpoint in sorted(container.endpoints) {
                // A network that is gone can't be left; `fate` decides what becomes of the container.
                guard let network = network(of: endpoint), !allowed.contains(network.id) else { continue }
                // A sidecar that is recreated leaves networks of the bottle when it is removed.
                if wanted.role != .agent, fate.isNew, ours.contains(network.id) { continue }
                let object = ObjectName.container(wanted.role)
                steps.detachments.append(
                    add(Action(.disconnect, object, .foreignNetwork, container: container.id, networkID: network.id))
                )
                note(
                    .foreignNetwork,
                    object,
                    "is attached to the network \(network.name)",
                    // An edit can move a sidecar off a network, but never the agent.
                    unless: isEdited && wanted.role != .agent
                )
            }
        }
    }

    /// Reports foreign containers on the bottle's own networks, and touches none of them.
    mutating func findForeignContainers() {
        for wanted in desired.networks where !wanted.isExternal {
            guard let network = network(wanted.role) else { continue }
            for foreign in observed.foreignContainers where foreign.networks.contains(network.id) {
                plan.findings.append(.foreignContainer(name: foreign.name, network: wanted.role))
                note(.foreignContainer, .network(wanted.role), "holds \(foreign.name), which is not the bottle's")
            }
        }
    }

    private func sorted(_ endpoints: [ObservedContainer.Endpoint]) -> [ObservedContainer.Endpoint] {
        endpoints.sorted { ($0.networkName, $0.networkID?.text ?? "") < ($1.networkName, $1.networkID?.text ?? "") }
    }

    /// Creates missing networks, and recreates those that can't stay as they are.
    mutating func planNetworks(keeping containers: [DesiredContainer]) {
        for wanted in desired.networks where !wanted.isExternal {
            let object = ObjectName.network(wanted.role)
            guard let found = network(wanted.role) else {
                note(.missing, object, "is gone", unless: isEdited && record.ids[wanted.name] == nil)
                steps.networks[wanted.role] = [add(Action(.create, object, .missing, after: steps.removals))]
                continue
            }
            let twins = planTwins(of: found, wanted)
            steps.twins[wanted.role] = twins
            guard !matches(found, wanted) else { continue }
            note(.networkChanged, object, "has another subnet or other options", unless: isEdited)
            var before = steps.removals
            for container in containers {
                guard let there = self.container(container.role) else { continue }
                for endpoint in there.endpoints where network(of: endpoint)?.id == found.id {
                    before.append(
                        add(
                            Action(
                                .disconnect,
                                .container(container.role),
                                .networkChanged,
                                network: wanted.role,
                                container: there.id,
                                networkID: found.id
                            )
                        )
                    )
                }
            }
            let removal = add(Action(.remove, object, .networkChanged, networkID: found.id, after: before))
            steps.networks[wanted.role] = [add(Action(.create, object, .networkChanged, after: twins + [removal]))]
        }
    }

    /// Removes our other networks of the same name, which the engine allows; returns the removals.
    private mutating func planTwins(of found: ObservedNetwork, _ wanted: DesiredNetwork) -> [Int] {
        ownedNetworks.map(\.value).filter { $0.name == wanted.name && $0.id != found.id }.map { twin in
            let object = ObjectName.network(wanted.role)
            note(.notDesired, object, "is there twice", unless: isEdited)
            let before = steps.detachments + steps.removals
            return add(Action(.remove, object, .notDesired, networkID: twin.id, after: before))
        }
    }

    private func matches(_ found: ObservedNetwork, _ wanted: DesiredNetwork) -> Bool {
        found.isInternal == wanted.isInternal && wanted.subnet.map { found.subnets == [$0] } ?? true
            && wanted.options.allSatisfy { found.options[$0.key] == $0.value }
    }

    /// Creates missing volumes.
    mutating func planVolumes() {
        let present = Set(ownedVolumes.map(\.name))
        for volume in desired.volumes where !present.contains(volume.name) {
            let wasThere = desired.containers.contains { container in
                container.spec.mounts.contains { $0.volume == volume.name }
                    && record.converged?.specs[container.role.rawValue] != nil
            }
            note(.missing, .volume(volume.name), "is gone", unless: isEdited && !wasThere)
            steps.volumes[volume.name] = add(Action(.create, .volume(volume.name), .missing))
        }
    }

    /// Connects a container that is kept to its networks, at its addresses; returns the connects.
    mutating func planEndpoints(
        of wanted: DesiredContainer,
        _ container: ObservedContainer,
        after earlier: [Int]
    ) -> [Int] {
        let object = ObjectName.container(wanted.role)
        var done: [Int] = []
        for endpoint in wanted.endpoints {
            let network = network(endpoint.network)
            let made = steps.networks[endpoint.network] ?? []
            let present = network.flatMap { network in
                container.endpoints.first { self.network(of: $0)?.id == network.id }
            }
            var before = made
            var reason = made.isEmpty ? Reason.disconnected : .networkChanged
            if let present, let network, made.isEmpty {
                guard !isPlaced(present, as: endpoint, living: container.isLiving) else { continue }
                reason = .addressWrong
                before = [
                    add(
                        Action(
                            .disconnect,
                            object,
                            reason,
                            network: endpoint.network,
                            container: container.id,
                            networkID: network.id
                        )
                    )
                ]
            }
            if made.isEmpty {
                note(
                    reason,
                    object,
                    "is not on the \(endpoint.network.rawValue) network as planned",
                    // A container that never ran is half made, and another egress network is an edit.
                    unless: container.state == .created || (isEdited && endpoint.network == .egress)
                )
            }
            done.append(
                add(
                    Action(
                        .connect,
                        object,
                        reason,
                        network: endpoint.network,
                        container: container.id,
                        after: Set(earlier + before).sorted()
                    )
                )
            )
        }
        return done
    }

    /// Whether a container sits on a network as it should, as far as the engine shows.
    ///
    /// It shows the address in use only while the container lives, and names no aliases in its list.
    private func isPlaced(
        _ found: ObservedContainer.Endpoint,
        as wanted: DesiredContainer.Endpoint,
        living: Bool
    ) -> Bool {
        let addressed = wanted.address == nil || found.address == wanted.address || (found.address == nil && !living)
        return addressed && (found.aliases.isEmpty || Set(wanted.aliases).isSubset(of: found.aliases))
    }

    /// Removes our networks and volumes that are not desired, except those that go only with `delete`.
    mutating func planLeftovers() {
        let wanted = Set(desired.networks.map(\.name))
        for network in ownedNetworks where !wanted.contains(network.value.name) {
            guard let role = network.role else { continue }
            note(.notDesired, .network(role), "is there, but not wanted", unless: isEdited)
            add(Action(.remove, .network(role), .notDesired, networkID: network.value.id, after: everything))
        }
        let volumes = Set(desired.volumes.map(\.name))
        for volume in ownedVolumes where !volumes.contains(volume.name) && !isPrecious(volume) {
            note(.notDesired, .volume(volume.name), "is there, but not wanted", unless: isEdited)
            add(Action(.remove, .volume(volume.name), .notDesired, after: everything))
        }
    }

    /// Every action so far, except copies into the agent: its processes can make a copy fail.
    private var everything: [Int] {
        plan.actions.indices.filter { plan.actions[$0].verb != .copy || plan.actions[$0].object != .container(.agent) }
    }

    private func isPrecious(_ volume: ObservedVolume) -> Bool {
        let precious = DesiredVolume.agentPurposes + Sidecars.all.flatMap { $0.preciousVolumes }
        return volume.labels[Labels.role].map(precious.contains) ?? false
    }
}
