package import ReconcilerModel

/// A rule of a sidecar, as the word by which it tells its refusals.
package struct RefusalRule: Sendable, Hashable {
    package var sidecar: Role
    package var rule: String

    package init(sidecar: Role, rule: String) {
        self.sidecar = sidecar
        self.rule = rule
    }

    /// Every rule that our sidecars have; `other` stands for any other rule, which a custom image may have.
    package static let known: Set<RefusalRule> = {
        let proxy = [
            "identity", "host", "port", "path", "method", "git-push", "upgrade", "tls", "header", "version", "no-table",
            "internal", "malformed", "firewall", "upstream", "grant-expired", "grant-used-up", "grant-uncounted",
            RefusedRequest.otherRule,
        ]
        let firewall = [
            "unlisted-host", "unlisted-port", "not-a-name", "form", "private-address", "unresolved", "sni", "not-tls",
            "crowded", RefusedRequest.otherRule,
        ]
        return Set(
            proxy.map { RefusalRule(sidecar: .egressProxy, rule: $0) }
                + firewall.map { RefusalRule(sidecar: .firewall, rule: $0) }
        )
    }()

    /// The same, or `other` when no sidecar of ours has it.
    package var ifKnown: RefusalRule {
        Self.known.contains(self) ? self : RefusalRule(sidecar: sidecar, rule: RefusedRequest.otherRule)
    }
}
