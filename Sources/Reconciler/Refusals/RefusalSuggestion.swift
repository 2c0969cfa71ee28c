package import ReconcilerModel

/// The smallest change of a manifest that would let refused requests through, where there is one.
///
/// Pure. It never suggests what only an operator can judge: credentials, private addresses, wildcards, push targets.
package struct RefusalSuggestion: Sendable, Hashable {
    package enum Outcome: Sendable, Hashable {
        /// The changed manifest lets it through.
        case allowed
        /// The manifest lets it through as it is.
        case allowedAlready
        /// Why no entry lets it through, and what to do instead.
        case impossible(String)
    }

    package struct Verdict: Sendable, Hashable {
        package let group: RefusalGroup
        package let outcome: Outcome
    }

    /// What is in force: the manifest with its remediations.
    package let before: BottleManifest
    /// The manifest with the change; the same as `before` where nothing is to be changed.
    package private(set) var after: BottleManifest
    /// What became of each group, in the order asked.
    package private(set) var verdicts: [Verdict] = []
    /// In place of an added host, a route that lets only through what was seen.
    package private(set) var narrower: [Route] = []

    /// Suggests what lets all of `groups` through, as far as that is possible.
    package init(for groups: [RefusalGroup], in manifest: BottleManifest) {
        before = manifest
        after = manifest
        for group in groups { verdicts.append(Verdict(group: group, outcome: allow(group))) }
    }

    // MARK: - The change

    /// Entries that `egress.allowlist` gets.
    package var addedHosts: [HostPattern] { after.egress.allowlist.filter { !before.egress.allowlist.contains($0) } }

    /// Entries that leave `egress.allowlist`, since a route says more of them.
    package var removedHosts: [HostPattern] { before.egress.allowlist.filter { !after.egress.allowlist.contains($0) } }

    /// Routes that are new or say something else, each with the one before it.
    package var changedRoutes: [(before: Route?, after: Route)] {
        after.routes.compactMap { route in
            let old = before.routes.first { $0.host == route.host }
            return old == route ? nil : (old, route)
        }
    }

    /// The change as remediations.
    ///
    /// - Parameter isNarrow: whether a new host gets the route for what was seen, where there is one.
    package func changes(isNarrow: Bool) -> [RemediationChange] {
        let routed = isNarrow ? narrower : []
        let removed = removedHosts.map { RemediationChange.hostRemoved($0) }
        let hosts = addedHosts.filter { host in !routed.contains { $0.host == host } }
        return removed + hosts.map { .hostAdded($0) } + routed.map { .routeAdded($0) }
            + changedRoutes.map { old, new in
                old.map { .routeChanged(from: $0.unlimited, to: new.unlimited) } ?? .routeAdded(new)
            }
    }

    /// What the change lets a bottle do that it may not do now, and the other way round.
    package var authority: [AuthorityChange] { Authority.changes(from: before, to: after) }

    // MARK: - By rule

    private mutating func allow(_ group: RefusalGroup) -> Outcome {
        if let reason = Self.impossible[group.rule] { return .impossible(reason) }
        guard group.host != RefusedRequest.anyHost else {
            return .impossible("too many hosts were asked for to be on record by name")
        }
        guard let host = try? HostPattern(group.host), !host.isWildcard else {
            return .impossible("what was asked for is not the name of a host")
        }
        if !["host", "unlisted-host"].contains(group.rule), case .route(let route) = entry(for: host),
            route.grant != nil
        {
            return .impossible("its route holds within limits only, by a remediation: that one has to say more")
        }
        switch group.rule {
        case "host", "unlisted-host": return allow(host, group)
        case "port", "unlisted-port": return allowPort(host, group)
        case "path": return allowPaths(host, group)
        case "method": return allowMethods(host, group)
        case "upgrade": return allowWebSocket(host)
        default: return .impossible("no entry of the manifest is known to let through what this rule refuses")
        }
    }

    private mutating func allow(_ host: HostPattern, _ group: RefusalGroup) -> Outcome {
        // An entry for the host alone opens these two.
        guard group.ports.isEmpty || group.ports.contains(where: [80, 443].contains) else {
            return group.rule == "host" ? Self.plainElsewhere : allowPort(host, group)
        }
        guard entry(for: host) == nil else { return .allowedAlready }
        after.egress.allowlist.append(host)
        let reads: Set<String> = ["GET", "HEAD", "OPTIONS"]
        if !before.routes.isEmpty, !group.isPartial, !group.methods.isEmpty, reads.isSuperset(of: group.methods) {
            let methods = Set(group.methods).union(["GET", "HEAD"]).sorted()
            narrower.append(Route(host: host, methods: .only(methods)))
        }
        return .allowed
    }

    private mutating func allowPort(_ host: HostPattern, _ group: RefusalGroup) -> Outcome {
        guard let port = group.ports.last else {
            return .impossible("which port was asked for is not on record; its route's `port` decides")
        }
        guard group.methods.isEmpty || group.methods.contains("CONNECT") else { return Self.plainElsewhere }
        guard !group.isPartial, group.ports.count == 1 else {
            return .impossible("several ports were asked for, and a host has one route with one port")
        }
        switch entry(for: host) {
        case .route(let route) where route.port == port: return .allowedAlready
        case .route(let route) where route.host == host:
            return .impossible("its route has port \(route.port), and a host has one route with one port")
        case .listed where port == 443: return .allowedAlready
        case .listed(let entry) where entry == host: after.egress.allowlist.removeAll { $0 == host }
        case .route, .listed, nil: break
        }
        after.routes.append(Route(host: host, port: port))
        return .allowed
    }

    private mutating func allowPaths(_ host: HostPattern, _ group: RefusalGroup) -> Outcome {
        let unclear =
            "the path is written so that two programs could read it in two ways, a header names a second "
            + "resource, or the query can't be read; no entry lets that through"
        guard case .route(var route) = entry(for: host) else {
            return entry(for: host) == nil ? Self.gone : .impossible(unclear)
        }
        guard !route.pathAllowlist.isEmpty else { return .impossible(unclear) }
        let prefixes = group.paths.compactMap(Self.prefix).filter { path in
            !route.pathAllowlist.contains { Self.is(path, below: $0) }
        }
        guard !prefixes.isEmpty else {
            return group.paths.isEmpty
                ? .impossible("which paths were asked for is not on record") : .impossible(unclear)
        }
        for prefix in prefixes.sorted() where !route.pathAllowlist.contains(where: { Self.is(prefix, below: $0) }) {
            route.pathAllowlist.append(prefix)
        }
        replace(route)
        return .allowed
    }

    private mutating func allowMethods(_ host: HostPattern, _ group: RefusalGroup) -> Outcome {
        guard case .route(var route) = entry(for: host) else {
            return entry(for: host) == nil ? Self.gone : .impossible(Self.neverAMethod)
        }
        guard case .only(let known) = route.methods else { return .impossible(Self.neverAMethod) }
        let missing = group.methods.filter { Self.isMethod($0) && !known.contains($0) }
        guard !missing.isEmpty else {
            let isKnown = !group.methods.isEmpty && group.methods.allSatisfy(known.contains)
            return isKnown ? .allowedAlready : .impossible(Self.neverAMethod)
        }
        route.methods = .only(known + missing.sorted())
        replace(route)
        return .allowed
    }

    private mutating func allowWebSocket(_ host: HostPattern) -> Outcome {
        switch entry(for: host) {
        case .route(let route) where route.allowsWebSocket:
            return .impossible("its route lets WebSockets through; any other upgrade is always refused")
        case .route(var route):
            route.allowsWebSocket = true
            replace(route)
        case .listed(let entry):
            if entry == host { after.egress.allowlist.removeAll { $0 == host } }
            after.routes.append(Route(host: host, allowsWebSocket: true))
        case nil: return Self.gone
        }
        return .allowed
    }

    private mutating func replace(_ route: Route) {
        after.routes = after.routes.map { $0.host == route.host ? route : $0 }
    }

    // MARK: - What decides for a host

    private enum Entry: Hashable {
        case route(Route)
        case listed(HostPattern)

        var host: HostPattern {
            switch self {
            case .route(let route): route.host
            case .listed(let host): host
            }
        }
    }

    /// The entry that decides for a host: the one that names the least beside it.
    private func entry(for host: HostPattern) -> Entry? {
        let all = after.routes.map { Entry.route($0) } + after.egress.allowlist.map { Entry.listed($0) }
        let fitting = all.filter { $0.host.covers(host) }
        return fitting.first { !$0.host.isWildcard }
            ?? fitting.max { $0.host.base.utf8.count < $1.host.base.utf8.count }
    }

    // MARK: - Texts of the agent

    /// The path as a prefix that every program reads the same way; nil when there is none below the root.
    ///
    /// From the first segment on that holds anything unusual, or was cut, the folder above stands for it.
    private static func prefix(_ path: String) -> String? {
        guard path.hasPrefix("/") else { return nil }
        let isCut = path.hasSuffix("...")
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        let kept = segments.dropLast(isCut ? 1 : 0).prefix { isPlain($0) }
        // An ambiguous path is refused whatever is listed.
        guard segments.dropLast().allSatisfy({ !$0.isEmpty }), !segments.contains(where: { $0 == "." || $0 == ".." })
        else { return nil }
        guard kept.count < segments.count else { return path }
        return kept.isEmpty ? nil : "/" + kept.joined(separator: "/") + "/"
    }

    private static func isPlain(_ segment: Substring) -> Bool {
        segment.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "-._~@+=,:".utf8.contains(byte)
        }
    }

    /// `/a` holds `/a` and `/a/b`, `/a/` only what is below.
    private static func `is`(_ path: String, below prefix: String) -> Bool {
        guard path.hasPrefix(prefix) else { return false }
        return path.utf8.count == prefix.utf8.count || prefix.hasSuffix("/")
            || path.dropFirst(prefix.count).first == "/"
    }

    /// Whether a manifest can list the method.
    private static func isMethod(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count) && text.utf8.allSatisfy { (65...90).contains($0) || $0 == 45 }
            && !text.hasPrefix("-") && !["CONNECT", "TRACE", "TRACK", "ANY"].contains(text)
    }

    private static let plainElsewhere = Outcome.impossible(
        "without TLS a host is reached on port 80 only, whatever its route says"
    )
    private static let neverAMethod = "no entry lets this method through"
    private static let gone = Outcome.impossible("no entry of the manifest names this host any more")

    private static let overGrant =
        "what let it through was granted within limits, which are reached; grant it anew, or write what is to last "
        + "into the manifest"

    /// Rules that protect what no entry of a manifest can give away, with what to do instead.
    private static let impossible: [String: String] = [
        "grant-expired": overGrant,
        "grant-used-up": overGrant,
        "grant-uncounted":
            "it passes within limits, whose uses the egress-proxy can't put on record: see `bottle logs`",
        "git-push":
            "a push leaves through the git gate only: declare the repository under `git` and push to that remote",
        "identity": "CONNECT, TLS server name, target and Host must name one server; what sends this has to be mended",
        "tls": "a tunnel carries TLS only",
        "header": "a header of the request could be read in two ways; what sends it has to be mended",
        "version": "the egress-proxy speaks HTTP/1 only",
        "malformed": "it is not a well-formed request; what sends it has to be mended",
        "no-table": "the egress-proxy has no valid routes: see `bottle describe`",
        "internal": "a fault of the egress-proxy: see `bottle logs`",
        "firewall": "the firewall behind refused it: see its own refusals of this host",
        "upstream": "it was allowed, but the server did not answer as it should",
        "form": "it is not a request that the firewall serves; what sends it has to be mended",
        "not-a-name": "hosts are reached by name only: `egress.extra_hosts` gives an address one",
        "private-address": "the name leads to an address that is not public; only you know whether that is meant: "
            + "`egress.extra_hosts` or `egress.private` let it through",
        "unresolved": "the name has no address; `egress.extra_hosts` can give it one",
        "sni": "the TLS server name must be the host of CONNECT; what sends this has to be mended",
        "not-tls": "a tunnel carries TLS only",
        "crowded": "too many connections were open at once",
    ]
}
