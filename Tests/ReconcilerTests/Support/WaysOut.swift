import EngineTestSupport
import ReconcilerEngine
import ReconcilerModel

/// What an agent can reach at one moment of an engine, and how that is judged.
struct WaysOut {
    /// What generations of the sidecars' files let through: hosts by `pattern port`, and how each is judged.
    typealias Rules = [ContentDigest: [String: String]]

    struct Part {
        let role: Role
        let isRunning: Bool
        /// Ids of the networks it is on.
        var places: Set<String>
        /// What it has loaded since its start.
        let inForce: ContentDigest?
    }

    /// The bottle's containers that live.
    var parts: [Part]
    private let exits: [String: String]

    init(_ world: EngineState) {
        parts = world.containers.values.sorted { $0.id < $1.id }.compactMap { container in
            guard container.isRunning, let role = container.config.labels?[Labels.role].flatMap(Role.init(rawValue:))
            else { return nil }
            return Part(
                role: role,
                isRunning: !container.state.isPaused,
                places: Set(container.endpoints.values.filter(\.isUp).map(\.wire.networkID)),
                inForce: Self.inForce(container, world)
            )
        }
        exits = world.networks.mapValues(\.summary).filter { !$0.value.isInternal }.mapValues(\.name)
    }

    private static func inForce(_ container: MemoryContainer, _ world: EngineState) -> ContentDigest? {
        guard let node = try? world.look(ReloadingProgram.link, in: container.id), case .link(let target) = node.kind,
            let start = container.state.startedAt, node.modifiedAt >= start
        else { return nil }
        return LoadedGeneration(linkTarget: target)?.inForce
    }

    /// What is paused can't pass anything on.
    func now(_ rules: Rules) -> Set<String> { ways(rules, by: parts.filter(\.isRunning)) }

    /// The same, were everything that is paused to go on.
    func unpaused(_ rules: Rules) -> Set<String> { ways(rules, by: parts) }

    private func ways(_ rules: Rules, by parts: [Part]) -> Set<String> {
        func part(_ role: Role) -> Part? { parts.first { $0.role == role } }
        /// What a sidecar lets through; unknown content lets through something of its own.
        func through(_ part: Part) -> [String: String] {
            part.inForce.map { rules[$0] ?? ["whatever \($0) says": "of others"] } ?? [:]
        }
        func isUnknown(_ part: Part) -> Bool { part.inForce.map { rules[$0] == nil } ?? false }
        func leads(_ part: Part) -> [String] { part.places.compactMap { exits[$0] } }

        guard let agent = part(.agent) else { return [] }
        var ways = Set(leads(agent).map { "\($0): anything" })
        func add(_ through: [String: String]) { ways.formUnion(through.map { "\($0.key): \($0.value)" }) }
        let firewall = part(.firewall).flatMap { leads($0).isEmpty ? nil : $0 }
        if let firewall, !firewall.places.isDisjoint(with: agent.places) { add(through(firewall)) }
        guard let proxy = part(.egressProxy), !proxy.places.isDisjoint(with: agent.places) else { return ways }
        if !leads(proxy).isEmpty { add(through(proxy)) }
        if let firewall, !firewall.places.isDisjoint(with: proxy.places) {
            let hosts = through(firewall)
            add(
                isUnknown(proxy)
                    ? hosts.mapValues { _ in "as others say" }
                    : through(proxy).filter { hosts[$0.key] != nil || isUnknown(firewall) }
            )
        }
        return ways
    }
}

extension PlanFixture {
    /// Remembers what the wanted generations let through.
    mutating func learnRules(of desired: DesiredBottle) {
        if let generation = desired.container(.egressProxy)?.generation { rules[generation] = table }
        if let firewall = desired.container(.firewall), let generation = firewall.generation {
            rules[generation] = Dictionary(uniqueKeysWithValues: firewall.permissions.map { ($0, "any request") })
        }
    }

    private var table: [String: String] {
        var table = manifest.routes.reduce(into: [String: String]()) { $0["\($1.host) \($1.port)"] = "\($1)" }
        for host in manifest.egress.allowlist where table["\(host) 443"] == nil { table["\(host) 443"] = "allowlist" }
        return table
    }

    /// What the agent may reach while the bottle is on its way to `desired`: by what is there now, by the rules in
    /// force, whatever else keeps it from that now, or once all is as desired.
    func allowed(_ desired: DesiredBottle, in world: EngineState) -> Set<String> {
        var whole = WaysOut(world)
        let wasProxied = record.converged?.specs[Role.egressProxy.rawValue] != nil
        for index in whole.parts.indices {
            let role = whole.parts[index].role
            for endpoint in desired.container(role)?.endpoints ?? [] {
                // A firewall that only now becomes the agent's neighbour is not there by right.
                guard role != .firewall || endpoint.network != .internal || !wasProxied,
                    let name = desired.network(endpoint.network)?.name, let id = networkID(name, in: world)
                else { continue }
                whole.parts[index].places.insert(id)
            }
        }
        return WaysOut(world).now(rules).union(whole.unpaused(rules)).union(wantedWays(desired))
    }

    private func networkID(_ name: String, in world: EngineState) -> String? {
        let named = world.networks.filter { $0.value.summary.name == name }.keys
        return named.first { $0 == record.ids[name] } ?? named.min()
    }

    private func wantedWays(_ desired: DesiredBottle) -> Set<String> {
        let hosts = desired.container(.firewall).map { Set($0.permissions) }
        guard desired.container(.egressProxy) != nil else { return Set((hosts ?? []).map { "\($0): any request" }) }
        return Set(table.filter { hosts?.contains($0.key) ?? true }.map { "\($0.key): \($0.value)" })
    }
}
