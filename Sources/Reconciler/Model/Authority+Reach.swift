extension Authority {
    /// Which hosts a bottle reaches, and what decides for each.
    struct Reach {
        private(set) var entries: [HostPattern: Entry] = [:]

        init(_ manifest: BottleManifest?) {
            guard let manifest else { return }
            guard !manifest.routes.isEmpty else {
                // Without an egress-proxy the agent talks to the firewall; without that there is no way out.
                guard manifest.egress.firewall != .none else { return }
                for host in manifest.egress.allowlist { entries[host] = Entry(tunnelTo: host) }
                return
            }
            for host in manifest.egress.allowlist { entries[host] = Entry(Route(host: host)) }
            for route in manifest.routes { entries[route.host] = Entry(route) }
        }

        /// The entry that decides for `host`: its own, else the most specific wildcard.
        func entry(for host: HostPattern) -> Entry? {
            if let own = entries[host] { return own }
            let wider = entries.keys.filter { $0.covers(host) }
            return wider.max { $0.base.utf8.count < $1.base.utf8.count }.flatMap { entries[$0] }
        }
    }

    /// How one host is reached.
    struct Entry {
        var port: Int
        /// What passes always; nil: nothing.
        var open: RequestScope?
        /// What passes within limits.
        var limited: Set<Widening>
        var auth: RouteAuth?
        var allowsClientAuth: Bool
        var allowsWebSocket: Bool
        var roles: Set<Route.Role>
        /// Whether TLS goes through unopened, so that nothing judges what is inside.
        var isTunnel: Bool

        init(_ route: Route) {
            port = route.port
            open = route.grant == nil ? route.scope : nil
            limited = Set(route.widenings)
            if let grant = route.grant { limited.insert(Widening(grant: grant, scope: route.scope)) }
            auth = route.auth
            allowsClientAuth = route.allowsClientAuth
            allowsWebSocket = route.allowsWebSocket
            roles = Set(route.roles)
            isTunnel = false
        }

        init(tunnelTo host: HostPattern) {
            self.init(Route(host: host, allowsClientAuth: true, allowsWebSocket: true))
            isTunnel = true
        }

        /// What this entry allows for `host` and `other` does not.
        func additions(to other: Entry?, host: HostPattern) -> [Permission] {
            var found: [Permission] = []
            let place = port == 443 ? host.text : "\(host):\(port)"
            if let open {
                if let before = other?.open {
                    found += open.additions(to: before, host: host)
                } else {
                    found.append(Permission(.host, place))
                    found += open.particulars(host: host)
                }
            }
            for widening in limited {
                if let before = other?.open, before.covers(widening.scope) { continue }
                if other?.limited.contains(widening) == true { continue }
                found.append(Permission(.grant, "\(place) \(widening.text)"))
            }
            if let other, port != other.port { found.append(Permission(.port, "\(host):\(port)")) }
            if isTunnel, other?.isTunnel != true { found.append(Permission(.tunnel, host.text)) }
            if let auth, auth.folded != other?.auth?.folded {
                found.append(Permission(.credential, "\(auth.text) to \(host)"))
            }
            if allowsClientAuth, other?.allowsClientAuth != true { found.append(Permission(.clientAuth, host.text)) }
            if allowsWebSocket, other?.allowsWebSocket != true { found.append(Permission(.webSocket, host.text)) }
            for role in roles.subtracting(other?.roles ?? []) {
                found.append(Permission(.role, "\(role.rawValue) by \(host)"))
            }
            return found
        }
    }
}

extension RequestScope {
    /// What these let through and `other` does not, each method and each path apart.
    fileprivate func additions(to other: RequestScope, host: HostPattern) -> [Authority.Permission] {
        var found: [Authority.Permission] = []
        switch (methods, other.methods) {
        case (.any, .only): found.append(Authority.Permission(.writeMethod, "\(host) any method"))
        case (.only(let own), .only(let known)):
            for method in Set(own).subtracting(known) {
                found.append(
                    Authority.Permission(Route.Methods.writes(method) ? .writeMethod : .readMethod, "\(host) \(method)")
                )
            }
        case (_, .any): break
        }
        if paths.isEmpty || paths.contains("/") {
            if !Self.paths(other.paths, cover: []) { found.append(Authority.Permission(.path, "\(host) any path")) }
        } else {
            found += paths.filter { !Self.paths(other.paths, cover: [$0]) }
                .map { Authority.Permission(.path, "\(host) \($0)") }
        }
        return found
    }

    /// What is worth a word of a host that was not reached before: whether it may be written to, and where.
    fileprivate func particulars(host: HostPattern) -> [Authority.Permission] {
        var found: [Authority.Permission] = []
        switch methods {
        case .any: found.append(Authority.Permission(.writeMethod, "\(host) any method"))
        case .only(let own):
            found += own.filter(Route.Methods.writes).map { Authority.Permission(.writeMethod, "\(host) \($0)") }
        }
        if !Self.paths(paths, cover: []) { found += paths.map { Authority.Permission(.path, "\(host) \($0)") } }
        return found
    }
}

extension Widening {
    /// `GET,POST /a (until …, 5 uses; dev/0003)`.
    fileprivate var text: String {
        let methods =
            switch scope.methods {
            case .any: "any method"
            case .only(let names): names.sorted().joined(separator: ",")
            }
        let paths = scope.paths.isEmpty ? "any path" : scope.paths.sorted().joined(separator: " ")
        return "\(methods) \(paths) (\(grant.limits.text); \(grant.id))"
    }
}

extension RouteAuth {
    /// The same with the header's name in lower case: names of headers have no case.
    fileprivate var folded: RouteAuth { RouteAuth(header: header.lowercased(), scheme: scheme, token: token) }

    /// The secret's name, and how it is sent where that is not usual.
    fileprivate var text: String {
        let header = header.lowercased() == "authorization" ? nil : header
        let how = [header, scheme].compactMap { $0 }.joined(separator: " ")
        return how.isEmpty ? token.name : "\(token) (\(how))"
    }
}
