import EngineTestSupport
import ReconcilerEngine
import ReconcilerModel

/// What must hold of the world at every instant, also while a pass is half done or its process is dead.
enum Invariant {
    /// What does not hold of it.
    static let violations: @Sendable (EngineState) -> [String] = { world in
        twins(of: world) + waysOut(of: world)
    }

    /// Two objects for one part of one bottle.
    private static func twins(of world: EngineState) -> [String] {
        let containers = world.containers.values.compactMap { part(of: $0.config.labels ?? [:], "container") }
        let networks = world.networks.values.compactMap { part(of: $0.summary.labels, "network") }
        return Dictionary(grouping: containers + networks) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
            .map { "\($0) is there twice" }
    }

    private static func part(of labels: [String: String], _ kind: String) -> String? {
        guard let identity = labels[Labels.identity], let role = labels[Labels.role] else { return nil }
        return "\(kind) \(identity)/\(role)"
    }

    /// A living agent on a network that leads out of its bottle; a test that puts it there itself does not watch.
    private static func waysOut(of world: EngineState) -> [String] {
        world.containers.values.filter { $0.isRunning && $0.config.labels?[Labels.role] == Role.agent.rawValue }
            .flatMap { agent in
                agent.endpoints.values.filter(\.isUp).compactMap { world.networks[$0.wire.networkID]?.summary }
                    .filter { !$0.isInternal }.map { "the agent is on \($0.name)" }
            }
    }
}
