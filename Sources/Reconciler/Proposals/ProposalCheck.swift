import ReconcilerManifest
package import ReconcilerModel
import ReconcilerTime

/// What a proposal comes to beside what is in force.
package enum ProposalVerdict: Sendable, Hashable {
    /// What would change, in order; every one of them fits.
    case changes([RemediationChange])
    /// The agent's whole new Dockerfile.
    case dockerfile(String)
    /// All of it holds already.
    case inForce
    /// Why it can't be asked for.
    case refused([String])
}

/// Compares what a proposal says with what is in force (SPEC 4.4).
///
/// A proposal carries no authority of its own: it asks for hosts, methods and paths, and whatever else it says must be
/// what is in force already. It takes nothing away either: without its route a host may be open by something wider, and
/// a list that forgot an entry would cut the agent off. What it leaves out stays as it is.
package enum ProposalCheck {
    /// What a proposal comes to beside a manifest with its remediations.
    package static func verdict(
        on proposal: Proposal,
        in manifest: BottleManifest,
        dockerfile: PresentDockerfile?
    ) -> ProposalVerdict {
        do {
            let content = try ProposalContent(proposal.tool, proposal.argument)
            return verdict(on: content, in: SupervisedPolicy(manifest, dockerfile: dockerfile))
        } catch {
            return .refused(error.reasons)
        }
    }

    package static func verdict(on content: ProposalContent, in policy: SupervisedPolicy) -> ProposalVerdict {
        switch content {
        case .routes(let written): routes(written, policy)
        case .hosts(let hosts): Self.hosts(hosts, policy)
        case .dockerfile(let text):
            policy.dockerfile.map { isBuilt($0, from: text) } == true ? .inForce : .dockerfile(text)
        }
    }

    private static func isBuilt(_ present: PresentDockerfile, from text: String) -> Bool {
        ProposedDockerfile.normalised(present.text).utf8.elementsEqual(text.utf8) || present.isBuilt(from: text)
    }

    // MARK: - Routes

    private static func routes(_ written: [WrittenRoute], _ policy: SupervisedPolicy) -> ProposalVerdict {
        guard !policy.routes.isEmpty else {
            return .refused([
                "this bottle has no egress-proxy, and only the operator can give it one: ask for hosts with "
                    + "\(ProposalTool.firewallBlock.rawValue)"
            ])
        }
        var changes: [RemediationChange] = []
        var reasons: [String] = []
        for route in written {
            if let present = policy.routes.first(where: { $0.host == route.route.host }) {
                reasons += problems(of: route, beside: present)
                let wanted = present.with(scope: route.route.scope)
                if !wanted.scope.isSame(as: present.scope) { changes.append(.routeChanged(from: present, to: wanted)) }
            } else {
                reasons += problems(ofNew: route)
                changes.append(.routeAdded(route.route))
            }
        }
        return reasons.isEmpty ? fitting(changes, policy) : .refused(Array(reasons.prefix(20)))
    }

    private static func problems(of written: WrittenRoute, beside present: Route) -> [String] {
        let route = written.route
        var reasons: [String] = []
        func mustStay(_ key: String, _ value: String, unless isSame: Bool) {
            guard written.keys.contains(key), !isSame else { return }
            reasons.append("'\(key)' of \(route.host) is the operator's to change: leave it out, or write \(value)")
        }
        mustStay("port", "\(present.port)", unless: route.port == present.port)
        mustStay("websocket", "\(present.allowsWebSocket)", unless: route.allowsWebSocket == present.allowsWebSocket)
        mustStay(
            "client_auth",
            present.allowsClientAuth ? "allow" : "strip",
            unless: route.allowsClientAuth == present.allowsClientAuth
        )
        mustStay(
            "role",
            present.roles.isEmpty ? "none" : present.roles.map(\.rawValue).joined(separator: ", "),
            unless: Set(route.roles) == Set(present.roles)
        )
        guard present.auth != nil else {
            if written.keys.contains("auth") {
                reasons.append(
                    "\(route.host) has no credential, and only the operator can give it one: leave 'auth' out"
                )
            }
            return reasons
        }
        if !written.keys.contains("methods") {
            reasons.append("the route to \(route.host) has a credential: its 'methods' must be written")
        } else if !present.methods.covers(route.methods) {
            reasons.append(
                "the route to \(route.host) has a credential, and what may be done with that is the operator's to write: "
                    + "keep 'methods' as they are"
            )
        }
        return reasons
    }

    private static func problems(ofNew written: WrittenRoute) -> [String] {
        let route = written.route
        var reasons: [String] = []
        func onlyOperator(_ what: String, _ isAsked: Bool) {
            if isAsked { reasons.append("\(route.host): \(what) only the operator can write: leave it out") }
        }
        onlyOperator("a wildcard", route.host.isWildcard)
        onlyOperator("'auth'", written.keys.contains("auth"))
        onlyOperator("'role'", !route.roles.isEmpty)
        onlyOperator("'client_auth: allow'", route.allowsClientAuth)
        onlyOperator("another port than 443", route.port != 443)
        return reasons
    }

    // MARK: - Hosts

    private static func hosts(_ hosts: [HostPattern], _ policy: SupervisedPolicy) -> ProposalVerdict {
        guard policy.hasFirewall || !policy.routes.isEmpty else {
            return .refused(["this bottle has no way out at all, and only the operator can give it one"])
        }
        let added = hosts.filter { !policy.allowlist.contains($0) }
        if let wildcard = added.first(where: \.isWildcard) {
            return .refused(["\(wildcard): a wildcard only the operator can write: name the hosts"])
        }
        return fitting(added.map(RemediationChange.hostAdded), policy)
    }

    // MARK: - Fit

    /// The changes that have an effect, applied as an approval would apply them.
    private static func fitting(_ changes: [RemediationChange], _ policy: SupervisedPolicy) -> ProposalVerdict {
        guard changes.count <= ProposalContent.changeLimit else {
            return .refused([
                "these are \(changes.count) changes; ask for at most \(ProposalContent.changeLimit) at once"
            ])
        }
        guard let manifest = policy.manifest else { return .refused(["what is in force can't be read"]) }
        var kept: [RemediationChange] = []
        var reasons: [String] = []
        for change in changes {
            switch manifest.fit(of: change) {
            case .applied: kept.append(change)
            case .redundant, .expired: continue
            case .conflict(let reason): reasons.append(reason)
            }
        }
        if !reasons.isEmpty { return .refused(reasons) }
        return kept.isEmpty ? .inForce : .changes(kept)
    }
}

extension RequestScope {
    /// Whether both let the same requests through.
    fileprivate func isSame(as other: RequestScope) -> Bool { covers(other) && other.covers(self) }
}

extension BottleManifest {
    /// How one change fits this manifest, were it approved now.
    fileprivate func fit(of change: RemediationChange) -> RemediationFit {
        do {
            let terms = try RemediationTerms(number: 1, change: change)
            return RemediedManifest(self, terms: [terms], at: Timestamp(seconds: 0)).fits.first ?? .redundant
        } catch {
            return .conflict(error.rule)
        }
    }
}
