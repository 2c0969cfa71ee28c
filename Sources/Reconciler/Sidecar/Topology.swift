/// Which parts a manifest needs, and which network each of them sits on (SPEC 4).
package struct Topology: Sendable, Hashable {
    package var roles: [Role]
    package var networks: [NetworkRole]
    /// The existing network in place of the bottle's own egress network.
    package var externalEgress: String?

    package init(_ manifest: BottleManifest) {
        let proxied = !manifest.routes.isEmpty
        let walled = manifest.egress.firewall != .none
        roles = (walled ? [.firewall] : []) + (proxied ? [.egressProxy] : [])
        roles += (manifest.supervise ? [.supervise] : []) + [.agent]
        networks = [.internal]
        if proxied && walled { networks.append(.link) }
        if proxied || walled { networks.append(.egress) }
        externalEgress = networks.contains(.egress) ? manifest.egress.network : nil
    }

    /// The networks that the bottle brings itself.
    package var ownNetworks: [NetworkRole] {
        networks.filter { $0 != .egress || externalEgress == nil }
    }

    /// The sidecar that the agent talks HTTP to; nil when there is no way out.
    package var facingProxy: Role? {
        if roles.contains(.egressProxy) { return .egressProxy }
        return roles.contains(.firewall) ? .firewall : nil
    }

    /// The networks of `role`, the one that faces its client first.
    package func networks(of role: Role) -> [NetworkRole] {
        switch role {
        case .agent, .supervise: [.internal]
        case .egressProxy: [.internal, roles.contains(.firewall) ? .link : .egress]
        case .firewall: [roles.contains(.egressProxy) ? .link : .internal, .egress]
        case .gitGate: [.internal, .egress]
        }
    }
}
