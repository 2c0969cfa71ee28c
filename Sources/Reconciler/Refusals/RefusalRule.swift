package import ReconcilerModel

/// A rule of a sidecar, as the word by which it tells its refusals.
package struct RefusalRule: Sendable, Hashable {
    package var sidecar: Role
    package var rule: String

    package init(sidecar: Role, rule: String) {
        self.sidecar = sidecar
        self.rule = rule
    }

    /// Every rule that our sidecars have; `other` stands for what an image of somebody's own says besides.
    package static let known = Set(
        Sidecars.all.filter { !$0.refusalRules.isEmpty }.flatMap { sidecar in
            (sidecar.refusalRules + [RefusedRequest.otherRule]).map { RefusalRule(sidecar: sidecar.role, rule: $0) }
        }
    )

    /// The same, or `other` when no sidecar of ours has it.
    package var ifKnown: RefusalRule {
        Self.known.contains(self) ? self : RefusalRule(sidecar: sidecar, rule: RefusedRequest.otherRule)
    }
}
