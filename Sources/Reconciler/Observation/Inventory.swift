package import ReconcilerEngine
package import ReconcilerModel

/// Everything on the engine that can matter to a bottle, from three calls for any number of bottles.
package struct Inventory: Sendable {
    /// Containers with our label, of every installation.
    package var containers: [ContainerSummary]
    /// All other containers: they can hold our names and sit on our networks.
    package var others: [ContainerSummary]
    /// All networks: ours must not overlap with their addresses.
    package var networks: [NetworkSummary]
    /// Volumes with our label, of every installation.
    package var volumes: [VolumeSummary]

    package init(
        containers: [ContainerSummary] = [],
        others: [ContainerSummary] = [],
        networks: [NetworkSummary] = [],
        volumes: [VolumeSummary] = []
    ) {
        self.containers = containers
        self.others = others
        self.networks = networks
        self.volumes = volumes
    }

    private enum Part: Sendable {
        case containers([ContainerSummary])
        case networks([NetworkSummary])
        case volumes([VolumeSummary])
    }

    /// Takes inventory: `GET /containers/json`, `GET /networks` and `GET /volumes`, side by side.
    ///
    /// - Throws: `EngineError`.
    package static func take(from engine: any EngineReading) async throws -> Inventory {
        let label = "\(Labels.managedBy)=bottle"
        return try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask { .containers(try await engine.containers(labels: [], all: true)) }
            group.addTask { .networks(try await engine.networks(labels: [])) }
            group.addTask { .volumes(try await engine.volumes(labels: [label])) }
            return try await group.reduce(into: Inventory()) { inventory, part in
                switch part {
                case .containers(let all):
                    inventory.containers = all.filter { $0.labels[Labels.managedBy] == "bottle" }
                    inventory.others = all.filter { $0.labels[Labels.managedBy] != "bottle" }
                case .networks(let networks): inventory.networks = networks
                case .volumes(let volumes): inventory.volumes = volumes
                }
            }
        }
    }

    /// The containers that say they are of `identity` in this installation.
    package func containers(of identity: Identity, installation: InstallationID) -> [ContainerSummary] {
        containers.filter {
            $0.labels[Labels.identity] == identity.name && $0.labels[Labels.installation] == installation.text
        }
    }

    /// Every block of addresses that some network has, other than those named in `names`.
    package func usedBlocks(exceptOf names: Set<String>) -> [IPv4Block] {
        networks.filter { !names.contains($0.name) }.flatMap(\.blocks)
    }

    /// The identities that objects of `installation` name, sorted.
    package func identities(of installation: InstallationID) -> [Identity] {
        let labels = containers.map(\.labels) + networks.map(\.labels) + volumes.map(\.labels)
        let names = labels.filter { $0[Labels.installation] == installation.text }.compactMap { $0[Labels.identity] }
        return Set(names).compactMap { try? Identity($0) }.sorted()
    }
}

extension NetworkSummary {
    /// Its IPv4 subnets.
    var blocks: [IPv4Block] { ipam.pools.compactMap { $0.subnet.flatMap { try? IPv4Block($0) } } }
}
