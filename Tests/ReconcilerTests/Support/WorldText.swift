import EngineTestSupport
import ReconcilerEngine
import ReconcilerModel

/// A world as text without what differs between two of the same making: ids and moments.
enum WorldText {
    /// Everything but the events, a line each.
    static func lines(_ world: EngineState) -> [String] {
        let networkNames = world.networks.mapValues(\.summary.name)
        var lines: [String] = []
        for container in world.containers.values {
            lines.append(
                "container \(container.name) \(container.state.status) \(container.imageID.prefix(20)) "
                    + "\(sorted(container.config.labels ?? [:])) \(container.hostConfig.memory ?? 0) "
                    + "\(container.hostConfig.nanoCPUs ?? 0) \(container.hostConfig.pidsLimit ?? 0) "
                    + "\(container.hostConfig.isPrivileged ?? false)"
            )
            lines.append(
                "  \(container.name) runs \(container.config.command ?? []) \(container.config.environment ?? [])"
            )
            for (name, endpoint) in container.endpoints {
                let aliases = endpoint.wire.aliases.filter { !container.id.hasPrefix($0) }.sorted()
                let network = networkNames[endpoint.wire.networkID] ?? "nothing"
                lines.append("  \(container.name) on \(name): \(network) \(endpoint.wire.ipAddress) \(aliases)")
            }
            let image = world.images[container.imageID]?.files
            lines += nodes(container.root, of: container.name).filter { line in
                image.map { !nodes($0, of: container.name).contains(line) } ?? true
            }
        }
        for network in world.networks.values where !network.isPredefined {
            let summary = network.summary
            lines.append(
                "network \(summary.name) \(summary.isInternal) \(summary.ipam.pools.compactMap(\.subnet)) "
                    + "\(sorted(summary.labels)) \(sorted(summary.options))"
            )
        }
        for volume in world.volumes.values {
            lines.append("volume \(volume.summary.name) \(sorted(volume.summary.labels))")
            lines += nodes(volume.files, of: volume.summary.name)
        }
        for image in world.images.values { lines.append("image \(image.id) \(image.tags.sorted())") }
        return lines.sorted()
    }

    /// What was made and removed, and how often.
    static func effects(_ world: EngineState) -> [String] {
        let verbs = ["create ", "remove ", "build ", "pull "]
        return world.effects.filter { effect in verbs.contains { effect.key.hasPrefix($0) } }
            .map { "\($0.value) × \($0.key)" }.sorted()
    }

    private static func sorted(_ table: [String: String]) -> String {
        table.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }

    private static func nodes(_ tree: FileTree, of owner: String) -> [String] {
        tree.nodes.map { path, node in
            let place = "  \(owner):\(path) \(String(node.mode, radix: 8)) \(node.uid):\(node.gid)"
            return switch node.kind {
            case .folder: "\(place) folder"
            case .link(let target): "\(place) → \(target)"
            case .file(let content): "\(place) \(ContentDigest(of: content).hex.prefix(12)) \(node.modifiedAt)"
            }
        }
    }
}
