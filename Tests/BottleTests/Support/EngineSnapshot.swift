import ReconcilerEngine
import ReconcilerTime

/// What an engine holds of one installation: who is who, by what never changes while a thing lives.
struct EngineSnapshot: Sendable, Equatable {
    /// Name → id and start of each container.
    var containers: [String: Life] = [:]
    /// Name → id.
    var networks: [String: String] = [:]
    /// By name; the engine has no id by which to tell a volume from one that replaced it.
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
    func changed(in other: EngineSnapshot) -> Set<String> {
        Set(Set(containers.keys).union(other.containers.keys).filter { containers[$0] != other.containers[$0] })
    }
}

extension BottleFixture {
    /// What the engine holds of an installation.
    nonisolated func snapshot(of state: String? = nil) async throws -> EngineSnapshot {
        guard let installation = try installation(of: state) else { return EngineSnapshot() }
        let label = "dev.bottle.installation=\(installation)"
        var snapshot = EngineSnapshot()
        for found in try await engine.containers(labels: [label], all: true) {
            let details = try await engine.container(found.id)
            snapshot.containers[details.name] = EngineSnapshot.Life(
                id: details.id,
                startedAt: details.state.startedAt?.description ?? "",
                state: details.state.status
            )
        }
        for found in try await engine.networks(labels: [label]) { snapshot.networks[found.name] = found.id }
        snapshot.volumes = Set(try await engine.volumes(labels: [label]).map(\.name))
        return snapshot
    }
}
