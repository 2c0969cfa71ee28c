import ReconcilerEngine
package import ReconcilerModel

/// What the engine's lists show of one bottle, to be compared with what they showed after its last converged pass.
///
/// Equal fingerprints mean that nothing changed that a list shows. Files and loaded generations are not in them.
package struct ListFingerprint: Sendable, Hashable {
    fileprivate struct Container: Sendable, Hashable {
        var id: String
        var names: [String]
        var state: String
        var image: String
        var endpoints: [String: Endpoint]
    }

    fileprivate struct Endpoint: Sendable, Hashable {
        var network: String
        var address: String
    }

    fileprivate struct Network: Sendable, Hashable {
        var id: String
        var name: String
        var labels: [String: String]
    }

    private var containers: [Container]
    private var networks: [Network]
    private var volumes: [String]

    /// The fingerprint of `identity`: its objects, the holders of its names, and what is on its networks.
    package init(of identity: Identity, installation: InstallationID, in inventory: Inventory) {
        self = Self.all(of: [identity], installation: installation, in: inventory)[identity] ?? .nothing
    }

    /// The fingerprints of many bottles, from one walk through the lists.
    package static func all(
        of bottles: some Collection<Identity>,
        installation: InstallationID,
        in inventory: Inventory
    ) -> [Identity: ListFingerprint] {
        var views = Dictionary(bottles.map { ($0, ListFingerprint.nothing) }) { first, _ in first }
        let byName = Dictionary(views.keys.map { ($0.name, $0) }) { first, _ in first }
        var containerNames: [String: Identity] = [:]
        var networkNames: [String: Identity] = [:]
        for bottle in views.keys {
            for role in Role.allCases { containerNames[Names.container(bottle, role)] = bottle }
            for role in NetworkRole.allCases { networkNames[Names.network(bottle, role)] = bottle }
        }
        /// The bottle that the labels name, when they are of this installation.
        func owner(_ labels: [String: String]) -> Identity? {
            guard labels[Labels.installation] == installation.text else { return nil }
            return labels[Labels.identity].flatMap { byName[$0] }
        }

        var users: [String: Set<Identity>] = [:]
        for network in inventory.networks {
            for bottle in Set([owner(network.labels), networkNames[network.name]].compactMap(\.self)) {
                users[network.id, default: []].insert(bottle)
                views[bottle]?.networks.append(Network(network))
            }
        }
        for container in inventory.containers + inventory.others {
            var concerned = Set([owner(container.labels)].compactMap(\.self))
            for name in container.names { if let bottle = containerNames[name] { concerned.insert(bottle) } }
            for endpoint in container.networks.values { concerned.formUnion(users[endpoint.networkID] ?? []) }
            for bottle in concerned { views[bottle]?.containers.append(Container(container)) }
        }
        for volume in inventory.volumes {
            if let bottle = owner(volume.labels) { views[bottle]?.volumes.append(volume.name) }
        }
        return views.mapValues { view in
            ListFingerprint(
                containers: view.containers.sorted { $0.id < $1.id },
                networks: view.networks.sorted { $0.id < $1.id },
                volumes: view.volumes.sorted()
            )
        }
    }

    private static let nothing = ListFingerprint(containers: [], networks: [], volumes: [])

    private init(containers: [Container], networks: [Network], volumes: [String]) {
        self.containers = containers
        self.networks = networks
        self.volumes = volumes
    }
}

extension ListFingerprint.Container {
    fileprivate init(_ container: ContainerSummary) {
        self.init(
            id: container.id,
            names: container.names.sorted(),
            state: container.state,
            image: container.imageID,
            endpoints: container.networks.mapValues { .init(network: $0.networkID, address: $0.ipAddress) }
        )
    }
}

extension ListFingerprint.Network {
    fileprivate init(_ network: NetworkSummary) {
        self.init(id: network.id, name: network.name, labels: network.labels)
    }
}
