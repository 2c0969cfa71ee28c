/// What belongs to the bottle, and what forbids every action.
extension Planner {
    private func isOurs(labels: [String: String], name: String, id: String) -> Bool {
        labels[Labels.managedBy] == "bottle" && labels[Labels.installation] == record.installation.text
            && labels[Labels.identity] == desired.identity.name
            && (record.names.contains(name) || record.ids.values.contains(id))
    }

    /// Our containers, sorted by name.
    var owned: [ObservedContainer] {
        observed.containers.filter { isOurs(labels: $0.labels, name: $0.name, id: $0.id.text) }
            .sorted { ($0.name, $0.id) < ($1.name, $1.id) }
    }

    /// Our networks, sorted by name.
    var ownedNetworks: [(role: NetworkRole?, value: ObservedNetwork)] {
        observed.networks.filter { isOurs(labels: $0.labels, name: $0.name, id: $0.id.text) }
            .map { (role: $0.labels[Labels.role].flatMap(NetworkRole.init(rawValue:)), value: $0) }
            .sorted { ($0.value.name, $0.value.id) < ($1.value.name, $1.value.id) }
    }

    /// Our volumes, sorted by name.
    var ownedVolumes: [ObservedVolume] {
        observed.volumes.filter { isOurs(labels: $0.labels, name: $0.name, id: $0.name) }
            .sorted { $0.name < $1.name }
    }

    /// Our container of this role: the one with its name, else one that was renamed.
    func container(_ role: Role) -> ObservedContainer? {
        let candidates = owned.filter { $0.role == role }
        return candidates.first { $0.name == Names.container(desired.identity, role) } ?? candidates.first
    }

    /// The network that `role` means: the one whose id we recorded, else the one with its name.
    func network(_ role: NetworkRole) -> ObservedNetwork? {
        guard let wanted = desired.network(role) else { return nil }
        let named = observed.networks.filter { $0.name == wanted.name }.sorted { $0.id < $1.id }
        if wanted.isExternal { return named.first }
        let ours = named.filter { isOurs(labels: $0.labels, name: $0.name, id: $0.id.text) }
        return ours.first { $0.id.text == record.ids[wanted.name] } ?? ours.first
    }

    /// The network that an endpoint is on; nil when it is gone.
    ///
    /// The engine shows a network's id only once the container was started on it; until then it shows the name.
    func network(of endpoint: ObservedContainer.Endpoint) -> ObservedNetwork? {
        if let id = endpoint.networkID { return observed.network(id: id) }
        let own = NetworkRole.allCases.compactMap { network($0) }
        return own.first { $0.name == endpoint.networkName }
            ?? observed.networks.filter { $0.name == endpoint.networkName }.min { $0.id < $1.id }
    }

    // MARK: - What must not be

    /// Finds what forbids every action: names that others hold, a missing network of others, a forged image.
    mutating func findWhatBlocks() {
        for container in desired.containers {
            for other in observed.containers where other.name == container.name {
                guard !isOurs(labels: other.labels, name: other.name, id: other.id.text) else { continue }
                taken(.container(container.role), other.name, by: holder("container", other.id.text, other.labels))
            }
        }
        for network in desired.networks {
            let named = observed.networks.filter { $0.name == network.name }.sorted { $0.id < $1.id }
            if network.isExternal {
                if named.isEmpty { plan.findings.append(.externalNetworkMissing(network.name)) }
                // On another bottle's network its agent or its exit would be a neighbour.
                if named.contains(where: { $0.labels[Labels.managedBy] != nil }) {
                    plan.findings.append(.externalNetworkOfBottle(network.name))
                }
                continue
            }
            for other in named where !isOurs(labels: other.labels, name: other.name, id: other.id.text) {
                taken(.network(network.role), other.name, by: holder("network", other.id.text, other.labels))
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
        guard labels[Labels.installation] == record.installation.text else {
            return "\(short) of another installation of bottle (\(labels[Labels.installation] ?? "unnamed"))"
        }
        return "\(short), which carries our labels but is in no record of this state folder"
    }
}
