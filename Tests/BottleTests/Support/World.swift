import ReconcilerEngine
import ReconcilerTime

/// What an engine holds of one installation: who is who, by what never changes while a thing lives.
struct World: Sendable, Equatable {
    /// Name → id and start of each container.
    var containers: [String: Life] = [:]
    /// Name → id.
    var networks: [String: String] = [:]
    /// By name; the engine has nothing by which to tell a volume from one made anew.
    var volumes: Set<String> = []

    struct Life: Sendable, Equatable {
        var id: String
        var startedAt: String
        var state: String
    }

    /// Short names of everything, sorted: what a bottle consists of.
    func parts(of name: String) -> [String] {
        let all = Array(containers.keys) + Array(networks.keys) + Array(volumes)
        return all.map { $0.hasPrefix("bottle-\(name)-") ? String($0.dropFirst("bottle-\(name)-".count)) : $0 }.sorted()
    }

    /// Names of the containers that are not the same life in `other`.
    func changed(in other: World) -> Set<String> {
        Set(Set(containers.keys).union(other.containers.keys).filter { containers[$0] != other.containers[$0] })
    }
}

extension Scene {
    /// What the engine holds of an installation.
    nonisolated func world(of state: String? = nil) async throws -> World {
        guard let installation = try installation(of: state) else { return World() }
        let label = "dev.bottle.installation=\(installation)"
        var world = World()
        for found in try await engine.containers(labels: [label], all: true) {
            let details = try await engine.container(found.id)
            world.containers[details.name] = World.Life(
                id: details.id,
                startedAt: details.state.startedAt?.description ?? "",
                state: details.state.status
            )
        }
        for found in try await engine.networks(labels: [label]) { world.networks[found.name] = found.id }
        world.volumes = Set(try await engine.volumes(labels: [label]).map(\.name))
        return world
    }
}
