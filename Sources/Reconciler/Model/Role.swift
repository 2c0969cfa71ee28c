/// What a container is in its bottle.
package enum Role: String, Sendable, Hashable, Comparable, CaseIterable {
    case agent
    case egressProxy = "egress-proxy"
    case firewall
    case gitGate = "git-gate"
    case supervise

    package static func < (left: Role, right: Role) -> Bool { left.rawValue < right.rawValue }

    /// The container's host number in each network of its bottle; it never changes.
    ///
    /// The gateway has 1.
    package var hostNumber: UInt32 {
        switch self {
        case .agent: 2
        case .egressProxy: 3
        case .firewall: 4
        case .gitGate: 5
        case .supervise: 6
        }
    }
}

/// What a network is in its bottle.
package enum NetworkRole: String, Sendable, Hashable, Comparable, CaseIterable {
    case `internal`, link, egress

    package static func < (left: NetworkRole, right: NetworkRole) -> Bool { left.rawValue < right.rawValue }
}
