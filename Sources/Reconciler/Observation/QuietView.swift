import ReconcilerEngine
package import ReconcilerModel

/// What the engine's lists alone say of one bottle, to be compared with what they said when all was well.
///
/// Equal views mean that nothing changed that a list shows; they say nothing of files and what is loaded.
package struct QuietView: Sendable, Hashable {
    private struct Container: Sendable, Hashable {
        var id: String
        var names: [String]
        var state: String
        var image: String
        var places: [String: Place]
    }

    private struct Place: Sendable, Hashable {
        var network: String
        var address: String
    }

    private struct Network: Sendable, Hashable {
        var id: String
        var name: String
        var labels: [String: String]
    }

    private var containers: [Container]
    private var networks: [Network]
    private var volumes: [String]

    /// What `inventory` says of `identity`, whoever made it: its objects, what holds its names, and what is on its
    /// networks.
    package init(of identity: Identity, installation: String, in inventory: Inventory) {
        func isOurs(_ labels: [String: String]) -> Bool {
            labels[Labels.identity] == identity.name && labels[Labels.installation] == installation
        }
        let networkNames = Set(NetworkRole.allCases.map { Names.network(identity, $0) })
        let networks = inventory.networks.filter { networkNames.contains($0.name) || isOurs($0.labels) }
        let ids = Set(networks.map(\.id))
        let names = Set(Role.allCases.map { Names.container(identity, $0) })
        let containers = (inventory.containers + inventory.others).filter { container in
            isOurs(container.labels) || container.names.contains(where: names.contains)
                || container.networks.values.contains { ids.contains($0.networkID) }
        }
        self.containers = containers.map { container in
            Container(
                id: container.id,
                names: container.names.sorted(),
                state: container.state,
                image: container.imageID,
                places: container.networks.mapValues { Place(network: $0.networkID, address: $0.ipAddress) }
            )
        }.sorted { $0.id < $1.id }
        self.networks = networks.map { Network(id: $0.id, name: $0.name, labels: $0.labels) }.sorted { $0.id < $1.id }
        volumes = inventory.volumes.filter { isOurs($0.labels) }.map(\.name).sorted()
    }
}
