extension RemediationChange {
    /// The changes that make `new` of `old`, by host; what goes comes first, so that nothing is in the way of what comes.
    ///
    /// The order of routes and what holds within limits only don't count.
    package static func between(_ old: [Route], _ new: [Route]) -> [RemediationChange] {
        let before = byHost(old)
        let after = byHost(new)
        let removed = before.keys.filter { after[$0] == nil }.sorted().map { RemediationChange.routeRemoved($0) }
        let others = after.sorted { $0.key < $1.key }.compactMap { host, route -> RemediationChange? in
            guard let known = before[host] else { return .routeAdded(route) }
            return known == route ? nil : .routeChanged(from: known, to: route)
        }
        return removed + others
    }

    /// The changes that make `new` of `old`, two lists of `egress.allowlist`.
    package static func between(_ old: [HostPattern], _ new: [HostPattern]) -> [RemediationChange] {
        Set(old).subtracting(new).sorted().map { .hostRemoved($0) }
            + Set(new).subtracting(old).sorted().map { .hostAdded($0) }
    }

    private static func byHost(_ routes: [Route]) -> [HostPattern: Route] {
        var found: [HostPattern: Route] = [:]
        for route in routes where route.grant == nil { found[route.host] = route.unlimited }
        return found
    }
}

extension Route {
    /// The part of it that holds always.
    package var unlimited: Route {
        var route = self
        route.grant = nil
        route.widenings = []
        return route
    }
}
