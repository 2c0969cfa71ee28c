/// Which hosts may be reached, and through what.
package struct EgressSpec: Sendable, Hashable {
    package enum Firewall: String, Sendable, Hashable, CaseIterable {
        case squid, pipelock, none
    }

    package var firewall: Firewall
    /// Hosts that may be reached beside those of the routes.
    package var allowlist: [HostPattern]
    /// Hosts whose TLS an intercepting firewall leaves alone.
    package var passthrough: [HostPattern]
    /// An existing network in place of `bottle-<id>-egress`; never changed.
    package var network: String?
    /// Fixed addresses of hosts, by canonical name.
    package var extraHosts: [String: IPv4Address]
    /// Private ranges that may be reached.
    package var privateRanges: [IPv4Block]
    /// Further roots for upstream TLS.
    package var trust: [TrustRoot]

    package init(
        firewall: Firewall = .squid,
        allowlist: [HostPattern] = [],
        passthrough: [HostPattern] = [],
        network: String? = nil,
        extraHosts: [String: IPv4Address] = [:],
        privateRanges: [IPv4Block] = [],
        trust: [TrustRoot] = []
    ) {
        self.firewall = firewall
        self.allowlist = allowlist
        self.passthrough = passthrough
        self.network = network
        self.extraHosts = extraHosts
        self.privateRanges = privateRanges
        self.trust = trust
    }
}

/// A certificate that upstream TLS may be signed by.
package enum TrustRoot: Sendable, Hashable {
    case file(String)
    /// One or more certificates in PEM form.
    case pem(String)
}
