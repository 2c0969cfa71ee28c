import ReconcilerModel

extension ManifestDecoder {
    /// Reports values that are valid alone but conflict with each other.
    mutating func crossCheck(
        _ spec: Cursor,
        egress: EgressSpec,
        routes: [(cursor: Cursor, route: Route)],
        git: [(cursor: Cursor, remote: GitRemote)]
    ) {
        checkRoutes(routes)
        checkAllowlist(spec, egress: egress, routes: routes)
        checkPassthrough(spec, egress: egress, routes: routes)
        checkGitNames(git)
        checkAddresses(spec, git: git)
        checkSecondPush(spec, egress: egress, routes: routes, git: git)
    }

    /// Reports routes that conflict with each other.
    mutating func checkRoutes(_ routes: [(cursor: Cursor, route: Route)]) {
        checkRouteHosts(routes)
        checkRoles(routes)
    }

    private mutating func checkRouteHosts(_ routes: [(cursor: Cursor, route: Route)]) {
        var first: [HostPattern: Cursor] = [:]
        for (cursor, route) in routes {
            if let earlier = first[route.host] {
                findings.error(
                    "duplicate-route",
                    "\(cursor.path): there is already a route to '\(route.host)' at \(earlier.position.location)",
                    at: cursor["host"]?.position ?? cursor.position,
                    suggestion: "one host has one route: put methods and paths together"
                )
            } else {
                first[route.host] = cursor
            }
        }
    }

    private mutating func checkRoles(_ routes: [(cursor: Cursor, route: Route)]) {
        for role in Route.Role.allCases {
            let holders = routes.filter { $0.route.roles.contains(role) }
            for (cursor, _) in holders.dropFirst() {
                findings.error(
                    "duplicate-role",
                    "\(cursor.path): the role '\(role.rawValue)' is already at \(holders[0].cursor.position.location)",
                    at: cursor["role"]?.position ?? cursor.position,
                    suggestion: "at most one route has it"
                )
            }
            for (cursor, route) in holders where route.auth == nil {
                findings.warning(
                    "role-without-auth",
                    "\(cursor.path): the role '\(role.rawValue)' gives the agent a placeholder, but no 'auth' replaces it",
                    at: cursor["role"]?.position ?? cursor.position,
                    suggestion: "add 'auth: {scheme: Bearer, token_ref: …}'"
                )
            }
        }
    }

    /// Reports allowlist entries that would lift a route's limits: an entry is a route to the same host without limits.
    private mutating func checkAllowlist(
        _ spec: Cursor,
        egress: EgressSpec,
        routes: [(cursor: Cursor, route: Route)]
    ) {
        for item in spec["egress"]?["allowlist"]?.items ?? [] {
            guard let entry = item.text.flatMap({ try? HostWriting($0, allowsWildcard: true).pattern }) else {
                continue
            }
            for (cursor, route) in routes where entry.covers(route.host) {
                if entry == route.host {
                    findings.error(
                        "allowlist-widens-route",
                        "\(item.path): '\(entry)' has a route at \(cursor.position.location); an allowlist entry lets every method and path through",
                        at: item.position,
                        suggestion: "remove the entry: the route opens its host"
                    )
                } else {
                    findings.warning(
                        "route-below-wildcard",
                        "\(item.path): '\(entry)' covers the route to '\(route.host)', whose limits hold for that host",
                        at: item.position
                    )
                }
            }
        }
    }

    private mutating func checkPassthrough(
        _ spec: Cursor,
        egress: EgressSpec,
        routes: [(cursor: Cursor, route: Route)]
    ) {
        guard !egress.passthrough.isEmpty, egress.firewall != .pipelock, let cursor = spec["egress"]?["passthrough"]
        else {
            return
        }
        findings.warning(
            "no-effect",
            "\(cursor.path) has no effect: the firewall '\(egress.firewall.rawValue)' intercepts nothing",
            at: cursor.position
        )
    }

    private mutating func checkGitNames(_ git: [(cursor: Cursor, remote: GitRemote)]) {
        var first: [String: Cursor] = [:]
        for (cursor, remote) in git {
            // The git gate's folder may be on a file system that ignores case.
            if let earlier = first[remote.name.lowercased()] {
                findings.error(
                    "duplicate-name",
                    "\(cursor.path): the name '\(remote.name)' is already at \(earlier.position.location)",
                    at: cursor["name"]?.position ?? cursor.position,
                    suggestion: "give one of them another name"
                )
            } else {
                first[remote.name.lowercased()] = cursor
            }
        }
    }

    private mutating func checkAddresses(_ spec: Cursor, git: [(cursor: Cursor, remote: GitRemote)]) {
        var known: [String: (address: IPv4Address, position: SourcePosition)] = [:]
        let tables = [spec["egress"]?["extra_hosts"]] + git.map { $0.cursor["extra_hosts"] }
        for entry in tables.compactMap({ $0 }).flatMap(\.entries) {
            guard let host = try? HostWriting(entry.key, allowsWildcard: false).pattern.text,
                let address = entry.value.text.flatMap({ try? IPv4Address($0) })
            else { continue }
            if let earlier = known[host], earlier.address != address {
                findings.error(
                    "address-conflict",
                    "\(entry.value.path): '\(host)' is \(address) here and \(earlier.address) at \(earlier.position.location)",
                    at: entry.keyPosition,
                    suggestion: "one host has one address in a bottle"
                )
            } else if known[host] == nil {
                known[host] = (address, entry.keyPosition)
            }
        }
    }

    /// Reports writable HTTPS access to a git host: through the host's API, if not through git, an agent could push
    /// around the git gate.
    private mutating func checkSecondPush(
        _ spec: Cursor,
        egress: EgressSpec,
        routes: [(cursor: Cursor, route: Route)],
        git: [(cursor: Cursor, remote: GitRemote)]
    ) {
        let upstreams = Set(git.compactMap { try? GitUpstream($0.remote.upstream).host })
        for host in upstreams.sorted() {
            // The most specific route decides.
            let matching = routes.filter { $0.route.host.matches(host) }
            if let (cursor, route) = matching.max(by: { $0.route.host.base.count < $1.route.host.base.count }) {
                guard route.methods.canWrite else { continue }
                let position = cursor["methods"]?.position ?? cursor["host"]?.position ?? cursor.position
                if route.pathAllowlist.isEmpty {
                    findings.error(
                        "second-way-to-push",
                        "\(cursor.path) lets writing methods reach '\(host)', the upstream of a git entry: a way around the git gate",
                        at: position,
                        suggestion: "write 'methods: [GET, HEAD]', or a path_allowlist without the repository's API"
                    )
                } else {
                    findings.warning(
                        "second-way-to-push",
                        "\(cursor.path) lets writing methods reach '\(host)', the upstream of a git entry, below its paths",
                        at: position,
                        suggestion: "make sure that no path of path_allowlist writes to the repository"
                    )
                }
                continue
            }
            for item in spec["egress"]?["allowlist"]?.items ?? [] {
                guard let entry = item.text.flatMap({ try? HostWriting($0, allowsWildcard: true).pattern }),
                    entry.matches(host)
                else { continue }
                findings.error(
                    "second-way-to-push",
                    "\(item.path) opens '\(host)', the upstream of a git entry, to every method: a way around the git gate",
                    at: item.position,
                    suggestion: "remove it, or add a route with 'methods: [GET, HEAD]'"
                )
            }
        }
    }
}

extension Route.Methods {
    /// Whether it lets a method pass that changes something.
    var canWrite: Bool {
        switch self {
        case .any: true
        case .only(let methods): methods.contains { !["GET", "HEAD", "OPTIONS"].contains($0) }
        }
    }
}
