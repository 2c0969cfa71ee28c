/// The parts that a manifest needs, and the networks that each of them is on (SPEC 4).
package struct Topology: Sendable, Hashable {
    /// The sidecars in the order of `Sidecars.all`, then the agent.
    package var roles: [Role]
    package var networks: [NetworkRole]
    /// The existing network in place of the bottle's own egress network.
    package var externalEgress: String?
    /// The sidecars that the agent's traffic passes on its way out, the outermost first.
    package var exits: [Role]

    package init(_ manifest: BottleManifest) {
        let sidecars = Sidecars.needed(by: manifest)
        roles = sidecars.map { $0.role } + [.agent]
        exits = sidecars.compactMap { sidecar in sidecar.exit(in: manifest).map { (sidecar.role, $0.rank) } }
            .sorted { $0.1 < $1.1 }.map { $0.0 }
        networks = []
        let used = Set([.internal] + roles.flatMap(networks(of:)))
        networks = [.internal, .link, .egress].filter(used.contains)
        externalEgress = networks.contains(.egress) ? manifest.egress.network : nil
    }

    /// The networks that the bottle brings itself.
    package var ownNetworks: [NetworkRole] {
        networks.filter { $0 != .egress || externalEgress == nil }
    }

    /// The sidecar that the agent sends HTTP requests to; nil when nothing leaves the bottle.
    package var facingProxy: Role? { exits.last }

    /// The networks of `role`, the one that faces its clients first.
    package func networks(of role: Role) -> [NetworkRole] { Sidecars[role]?.networks(in: self) ?? [.internal] }

    /// Where the chain of exits puts `role`; a sidecar outside the chain is on the internal network only.
    func chainNetworks(of role: Role) -> [NetworkRole] {
        guard let index = exits.firstIndex(of: role) else { return [.internal] }
        return [role == exits.last ? .internal : .link, index == 0 ? .egress : .link]
    }
}
