package import ReconcilerModel
import ReconcilerState
import ReconcilerTime

/// What an operator grants a bottle.
package enum GrantRequest: Sendable {
    case hosts([HostPattern])
    case routes([Route])
    /// What would have let refusals through, by the ids of their groups.
    ///
    /// `isNarrow`: whether a new host gets a route for what was seen, and no more.
    case refusals([String], isNarrow: Bool)
}

/// What an operator takes back.
package enum RevokeRequest: Sendable {
    /// Numbers or names of remediations.
    case remediations([String])
    case hosts([HostPattern])
    case routes([HostPattern])
}

/// For how long, and how often, a grant is to hold.
package struct LimitRequest: Sendable, Hashable {
    package let span: Duration?
    package let uses: Int?

    package init(span: Duration? = nil, uses: Int? = nil) {
        self.span = span
        self.uses = uses
    }

    /// The limits from `moment` on; nil: none.
    ///
    /// - Throws: `BottleError` `invalid-limits`.
    func limits(from moment: Timestamp) throws -> GrantLimits? {
        guard span != nil || uses != nil else { return nil }
        do {
            return try GrantLimits(
                notAfter: span.map { Timestamp(seconds: moment.seconds + $0.components.seconds) },
                maxUses: uses
            )
        } catch {
            throw BottleError(.invalidLimits, "the limits are not valid: \(error.rule)")
        }
    }
}

extension Operations {
    /// Prepares remediations that let a bottle reach more.
    ///
    /// - Throws: `BottleError` `not-found`, `invalid-limits`, `no-such-group`, `not-grantable`, and what
    ///   `DesiredState.effect` throws.
    package func prepare(
        granting request: GrantRequest,
        to identity: Identity,
        within limits: LimitRequest,
        reason: String
    ) async throws -> PreparedChange {
        let base = try await base(of: identity)
        let manifest = try base.desired().remedied.manifest
        let limits = try limits.limits(from: base.moment)
        let changes: [RemediationChange]
        switch request {
        case .hosts(let hosts): changes = hosts.map { .hostAdded($0) }
        case .routes(let routes):
            changes = routes.map { route in
                let known = manifest.routes.first { $0.host == route.host && $0.grant == nil }?.unlimited
                return known.map { .routeChanged(from: $0, to: route) } ?? .routeAdded(route)
            }
        case .refusals(let ids, let isNarrow):
            changes = try await refusals([identity]).changes(
                for: ids,
                of: identity,
                in: manifest,
                isNarrow: isNarrow
            )
        }
        let drafts = changes.map { RemediationDraft($0, limits: limits, reason: reason) }
        return try await prepare(.grant, RemediationStep(adding: drafts, reason: reason), on: base)
    }

    /// Prepares to take back what was granted, or what the manifest says.
    ///
    /// - Throws: `BottleError` `not-found`, and what `DesiredState.effect` throws.
    package func prepare(
        revoking request: RevokeRequest,
        from identity: Identity,
        reason: String
    ) async throws -> PreparedChange {
        let base = try await base(of: identity)
        let state = try base.desired()
        var step = RemediationStep(reason: reason)
        switch request {
        case .remediations(let names): step.withdrawn = try Set(names.map { try state.remediation(named: $0).name })
        case .hosts(let hosts):
            for host in hosts {
                let isDeclared = state.declared.egress.allowlist.contains(host)
                step.take(away: .hostRemoved(host), of: state, isDeclared: isDeclared) { $0 == .hostAdded(host) }
            }
        case .routes(let hosts):
            for host in hosts {
                let isDeclared = state.declared.routes.contains { $0.host == host }
                step.take(away: .routeRemoved(host), of: state, isDeclared: isDeclared) { change in
                    switch change {
                    case .routeAdded(let route), .routeChanged(_, let route): route.host == host
                    default: false
                    }
                }
            }
        }
        return try await prepare(.revoke, step, on: base)
    }
}

extension DesiredState {
    /// The remediation with a number or name.
    ///
    /// - Throws: `BottleError` `not-found`.
    fileprivate func remediation(named text: String) throws -> Remediation {
        let all = remedied.outcomes.map(\.remediation)
        let found = all.first {
            $0.name == text || String($0.number) == text || Remediation.digits($0.number) == text
        }
        guard let found else {
            throw BottleError(
                .notFound,
                "bottle \(declared.identity) has no remediation '\(VisibleText.ascii(text, limit: 80))'",
                remedy: "`bottle remediations \(declared.identity)` lists those there are"
            )
        }
        return found
    }
}

extension RemediationStep {
    /// Takes an entry away: what added it is withdrawn, and what the manifest itself says is removed.
    fileprivate mutating func take(
        away removal: RemediationChange,
        of state: DesiredState,
        isDeclared: Bool,
        addedBy adds: (RemediationChange) -> Bool
    ) {
        let adding = state.remedied.outcomes.map(\.remediation).filter { adds($0.change) }
        withdrawn.formUnion(adding.map(\.name))
        guard isDeclared || adding.isEmpty else { return }
        added.append(RemediationDraft(removal, reason: reason))
    }
}
