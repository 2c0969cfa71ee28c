/// The result of applying one change to a manifest.
enum ChangeApplication: Hashable {
    case changed(BottleManifest)
    /// The manifest has what the change asks for.
    case unchanged
    /// Why it does not fit.
    case conflict(String)
}

extension BottleManifest {
    /// Applies one change.
    ///
    /// - Parameter grant: the limits within which it holds; nil: always.
    func applying(_ change: RemediationChange, grant: Grant?) -> ChangeApplication {
        if let grant, routes.allSatisfy({ $0.grant != nil }) {
            return .conflict(
                "it is limited (\(grant.limits.text)), and limits are kept by the egress-proxy, which a bottle has only "
                    + "while it has a route without limits"
            )
        }
        return switch change {
        case .routeAdded(let route): adding(route, grant)
        case .routeChanged(let old, let new): changing(old, new, grant)
        case .routeRemoved(let host): removingRoute(host)
        case .hostAdded(let host): grant.map { adding(Route(host: host), $0) } ?? allowing(host)
        case .hostRemoved(let host): disallowing(host)
        // The image is no entry of a host: see `RemediedBottle`.
        case .dockerfileReplaced: .unchanged
        }
    }

    /// What is more specific decides alone: a limited entry below a wider one would close, at its end, what is open.
    private func limitedProblem(below host: HostPattern) -> String? {
        let below = routes.first { $0.grant != nil && $0.host != host && host.covers($0.host) }
        return below.map { "the route to \($0.host) is limited, and would take the place of \(host) there" }
    }

    private func index(of host: HostPattern) -> Int? { routes.firstIndex { $0.host == host } }

    // MARK: - Routes

    private func adding(_ route: Route, _ grant: Grant?) -> ChangeApplication {
        var result = self
        if let index = index(of: route.host) {
            let present = routes[index]
            guard present.bearing == route.bearing else {
                return .conflict("there is a route to \(route.host) with other content")
            }
            if present.grant == nil {
                if present.scope.covers(route.scope) { return .unchanged }
                guard let grant else {
                    return .conflict("there is a route to \(route.host) that lets other methods or paths through")
                }
                return .changed(widening(index, by: [route.scope], grant))
            }
            if let grant {
                let isKnown = present.grant == grant && present.scope.covers(route.scope)
                return isKnown ? .unchanged : .changed(widening(index, by: [route.scope], grant))
            }
            // What held within limits holds always now; other limited parts stay beside it.
            result.routes[index] = route
            if let limited = present.grant, !route.scope.covers(present.scope) {
                result.routes[index].widenings = [Widening(grant: limited, scope: present.scope)]
            }
            result.routes[index].widenings += present.widenings.filter { !route.scope.covers($0.scope) }
            return .changed(result)
        }
        if egress.allowlist.contains(route.host) {
            guard Route(host: route.host).bearing == route.bearing else {
                return .conflict("\(route.host) is on the allowlist, which lets every method and path through")
            }
            return .unchanged
        }
        if let role = route.roles.first(where: { role in routes.contains { $0.roles.contains(role) } }) {
            return .conflict("another route has the role \(role.rawValue)")
        }
        if grant != nil {
            // What is more specific decides alone: with its limits it would close what is open without them.
            if route.bearing == Route(host: route.host).bearing, isOpenByWildcard(route.host) { return .unchanged }
            let wider =
                egress.allowlist.filter { $0.covers(route.host) } + routes.map(\.host).filter { $0.covers(route.host) }
            if let other = wider.first {
                return .conflict("\(other) opens \(route.host) already; what is limited would take its place, and end")
            }
        }
        if grant == nil, let problem = limitedProblem(below: route.host) { return .conflict(problem) }
        var added = route
        added.grant = grant
        result.routes.append(added)
        return .changed(result)
    }

    private func changing(_ old: Route, _ new: Route, _ grant: Grant?) -> ChangeApplication {
        guard let index = index(of: old.host), routes[index].grant == nil else {
            return .conflict("the route to \(old.host) that it changes is gone")
        }
        let present = routes[index]
        let merged: Route
        switch present.merging(from: old, to: new) {
        case .merged(let route): merged = route
        case .conflict(let reason): return .conflict(reason)
        }
        guard merged != present else { return .unchanged }
        guard let grant else {
            var result = self
            result.routes[index] = merged
            result.routes[index].widenings.removeAll { merged.scope.covers($0.scope) }
            return .changed(result)
        }
        return .changed(widening(index, by: merged.scope.beyond(present.scope), grant))
    }

    private func widening(_ index: Int, by scopes: [RequestScope], _ grant: Grant) -> BottleManifest {
        var result = self
        result.routes[index].widenings += scopes.map { Widening(grant: grant, scope: $0) }
        return result
    }

    private func removingRoute(_ host: HostPattern) -> ChangeApplication {
        if let other = egress.allowlist.first(where: { $0 != host && $0.covers(host) }) {
            return .conflict("without a route, the allowlist's \(other) opens \(host) to every method and path")
        }
        return withoutEntry(of: host)
    }

    // MARK: - Hosts

    private func allowing(_ host: HostPattern) -> ChangeApplication {
        var result = self
        if let index = index(of: host) {
            let present = routes[index]
            guard present.bearing == Route(host: host).bearing else {
                return .conflict("there is a route to \(host), whose limits an allowlist entry would take away")
            }
            if present.grant == nil {
                return present.scope.covers(RequestScope())
                    ? .unchanged
                    : .conflict("there is a route to \(host), whose limits an allowlist entry would take away")
            }
            result.routes.remove(at: index)
        } else if egress.allowlist.contains(host) {
            return .unchanged
        } else if isOpenByWildcard(host) {
            return .unchanged
        }
        // What holds always now needs no limits any more.
        result.routes.removeAll {
            $0.grant != nil && host.covers($0.host) && $0.bearing == Route(host: $0.host).bearing
        }
        if let problem = result.limitedProblem(below: host) { return .conflict(problem) }
        result.egress.allowlist.append(host)
        return .changed(result)
    }

    /// Whether the entry that decides for `host` is a wildcard of the allowlist.
    private func isOpenByWildcard(_ host: HostPattern) -> Bool {
        let entries = egress.allowlist.filter { $0.covers(host) }
        guard let widest = entries.map(\.base.utf8.count).max() else { return false }
        return !routes.contains { $0.host.covers(host) && $0.host.base.utf8.count >= widest }
    }

    private func disallowing(_ host: HostPattern) -> ChangeApplication {
        let wider = (egress.allowlist + routes.map(\.host)).first { $0 != host && $0.covers(host) }
        if let wider { return .conflict("\(wider) still opens \(host)") }
        if let index = index(of: host), routes[index].grant != nil || routes[index] != Route(host: host) {
            return .conflict("a route still opens \(host)")
        }
        return withoutEntry(of: host)
    }

    /// The manifest without a host's entry, in whichever form it has one.
    private func withoutEntry(of host: HostPattern) -> ChangeApplication {
        var result = self
        result.routes.removeAll { $0.host == host }
        result.egress.allowlist.removeAll { $0 == host }
        return result == self ? .unchanged : .changed(result)
    }

    // MARK: - Net effect

    /// The net effect of one host's changes: its route, or whether it is on the allowlist.
    struct Entry: Hashable {
        var route: Route?
        var isListed: Bool
    }

    /// The manifest's own entry of a host; wildcards over it don't count.
    func entry(of host: HostPattern) -> Entry {
        Entry(route: routes.first { $0.host == host }, isListed: egress.allowlist.contains(host))
    }

    /// What a chain of changes of one host, none of them limited, ends in.
    func netEntry(of chain: [RemediationChange]) -> Entry? {
        guard let first = chain.first, let host = first.host else { return nil }
        var scratch = self
        scratch.routes = []
        scratch.egress.allowlist = []
        switch first {
        case .routeChanged(let old, _): scratch.routes = [old]
        case .routeRemoved: scratch.routes = [Route(host: host)]
        case .hostRemoved: scratch.egress.allowlist = [host]
        case .routeAdded, .hostAdded, .dockerfileReplaced: break
        }
        for change in chain {
            if case .changed(let next) = scratch.applying(change, grant: nil) { scratch = next }
        }
        return scratch.entry(of: host)
    }

    /// Whether the manifest already allows the net effect of a chain of changes of one host, or more.
    func holds(netEffectOf chain: [RemediationChange]) -> Bool {
        guard let host = chain.first?.host, let wanted = netEntry(of: chain) else { return false }
        let present = entry(of: host)
        if let route = wanted.route {
            guard let own = present.route, own.grant == nil else { return false }
            return own.bearing == route.bearing && own.scope.covers(route.scope)
        }
        if wanted.isListed { return present.isListed }
        return present == wanted && !egress.allowlist.contains { $0.covers(host) }
    }
}
