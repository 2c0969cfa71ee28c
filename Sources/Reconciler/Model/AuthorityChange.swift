/// One thing that a change of the desired state adds to what a bottle may do, or takes away from it.
package struct AuthorityChange: Sendable, Hashable, Codable, Comparable {
    package enum Direction: String, Sendable, Hashable, Codable, CaseIterable {
        case added, removed

        /// `+` or `-`.
        package var sign: String { self == .added ? "+" : "-" }
    }

    /// What kind of thing it is; a documented contract (docs/remediations.md), in the order in which they are shown.
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// The way out no longer passes a firewall.
        case noFirewall = "no-firewall"
        /// Nothing looks into what leaves for any host.
        case unscanned
        /// A host that the intercepting firewall leaves alone.
        case passthrough
        /// A host that is reached without anything judging methods, paths or pushes.
        case tunnel
        case host
        /// A credential that is added to requests to a host.
        case credential
        /// A credential of the agent's own is let through.
        case clientAuth = "client-auth"
        /// A method that changes something.
        case writeMethod = "write-method"
        case readMethod = "read-method"
        case path
        case port
        case webSocket = "websocket"
        /// Something that holds within limits.
        case grant
        /// A special meaning of a route for the agent.
        case role
        case pushTarget = "push-target"
        case pushRef = "push-ref"
        /// Files that may be pushed without being scanned.
        case pushUnscanned = "push-unscanned"
        /// The host key that a push target must show.
        case pushHostKey = "push-host-key"
        case privateRange = "private-range"
        /// A host's fixed address.
        case extraHost = "extra-host"
        case egressNetwork = "egress-network"
        case trustRoot = "trust-root"
        /// A folder of the host, mounted.
        case mount
        /// A folder of the host, copied in.
        case copy
        case skill
        case image
        case runtime
        case user
        case command
        /// An environment variable of the agent.
        case environment
        /// A variable of the person who applies.
        case hostEnvironment = "host-environment"
        case restart
        /// More of a resource.
        case resource
        /// Whether the agent may ask for more.
        case supervise
    }

    package var change: Direction
    package var kind: Kind
    /// What it is about, in one line; text of a manifest, never a value of the environment.
    package var subject: String

    package init(_ change: Direction, _ kind: Kind, _ subject: String) {
        self.change = change
        self.kind = kind
        self.subject = subject
    }

    /// `+ write-method api.example.com POST`.
    package var text: String { "\(change.sign) \(kind.rawValue) \(subject)" }

    /// By kind in the order declared, then what is added before what is removed, then by subject.
    package static func < (left: AuthorityChange, right: AuthorityChange) -> Bool {
        func rank(_ change: AuthorityChange) -> (Int, Int) {
            (Kind.allCases.firstIndex(of: change.kind) ?? 0, change.change == .added ? 0 : 1)
        }
        let (one, two) = (rank(left), rank(right))
        return one == two ? left.subject < right.subject : one < two
    }
}
