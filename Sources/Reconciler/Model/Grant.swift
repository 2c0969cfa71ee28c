package import ReconcilerTime

/// How long, and how often, what a remediation adds holds.
package struct GrantLimits: Sendable, Hashable {
    /// The first moment at which it holds no more; nil: no end.
    package let notAfter: Timestamp?
    /// How many requests it lets through; nil: any number.
    package let maxUses: Int?

    package static let usesRange = 1...1_000_000

    /// - Throws: `InvalidValue` when nothing is limited, or the number of uses is not in `usesRange`.
    package init(notAfter: Timestamp? = nil, maxUses: Int? = nil) throws(InvalidValue) {
        guard notAfter != nil || maxUses != nil else {
            throw InvalidValue(kind: "limit", text: "", rule: "name 'not_after', 'max_uses' or both")
        }
        if let maxUses, !Self.usesRange.contains(maxUses) {
            throw InvalidValue(
                kind: "number of uses",
                text: String(maxUses),
                rule: "a number from \(Self.usesRange.lowerBound) to \(Self.usesRange.upperBound)"
            )
        }
        self.notAfter = notAfter
        self.maxUses = maxUses
    }

    /// Whether it has ended at `moment`, as far as time says.
    package func hasEnded(at moment: Timestamp) -> Bool { notAfter.map { $0 <= moment } ?? false }

    /// `until 2026-11-24T03:00:00Z, 5 uses`.
    package var text: String {
        let uses = maxUses.map { $0 == 1 ? "1 use" : "\($0) uses" }
        return [notAfter.map { "until \($0)" }, uses].compactMap { $0 }.joined(separator: ", ")
    }
}

/// A limited remediation as it travels on a route: its limits, and the name under which its uses are counted.
package struct Grant: Sendable, Hashable {
    /// `<identity>/<NNNN>`; no two remediations of a bottle ever have the same.
    package var id: String
    package var limits: GrantLimits

    package init(id: String, limits: GrantLimits) {
        self.id = id
        self.limits = limits
    }
}

/// What a grant lets through beside the route's own methods and paths.
package struct Widening: Sendable, Hashable {
    package var grant: Grant
    package var scope: RequestScope

    package init(grant: Grant, scope: RequestScope) {
        self.grant = grant
        self.scope = scope
    }
}
