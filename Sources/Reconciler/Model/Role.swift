/// What a container is in its bottle.
package enum Role: String, Sendable, Hashable, Comparable, CaseIterable {
    case agent
    case egressProxy = "egress-proxy"
    case firewall
    case gitGate = "git-gate"
    case supervise

    package static func < (left: Role, right: Role) -> Bool { left.rawValue < right.rawValue }
}

/// What a network is in its bottle.
package enum NetworkRole: String, Sendable, Hashable, Comparable, CaseIterable {
    case `internal`, link, egress

    package static func < (left: NetworkRole, right: NetworkRole) -> Bool { left.rawValue < right.rawValue }
}
