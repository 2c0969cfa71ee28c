package import ReconcilerModel

/// A route as somebody wrote it who may not write credentials: an agent in a proposal.
package struct WrittenRoute: Sendable, Hashable {
    /// What was written, with the manifest's defaults for what was not; never with `auth`.
    package var route: Route
    /// The keys that were written, sorted.
    package var keys: [String]

    package init(route: Route, keys: [String]) {
        self.route = route
        self.keys = keys
    }

    /// What stands for a credential that the operator wrote: it says that there is one, and nothing of it.
    package static let keptAuth = "kept"

    /// One text for one meaning, whatever the spelling; lines of ASCII.
    package var canonical: String {
        var parts = ["route \(route.host)"]
        for key in keys {
            switch key {
            case "port": parts.append("port \(route.port)")
            case "role": parts.append("role \(route.roles.map(\.rawValue).sorted().joined(separator: ","))")
            case "client_auth": parts.append("client_auth \(route.allowsClientAuth)")
            case "websocket": parts.append("websocket \(route.allowsWebSocket)")
            case "auth": parts.append("auth")
            default: break
            }
        }
        switch route.methods {
        case .any: parts.append("methods any")
        case .only(let methods): parts.append("methods \(methods.sorted().joined(separator: ","))")
        }
        parts.append("paths \(route.pathAllowlist.sorted().joined(separator: " "))")
        return parts.joined(separator: "\n  ")
    }
}

/// Reads a list of routes in the grammar of `egress_proxy.routes`, without credentials.
package enum RouteListReader {
    /// Enough for a list that a person can judge.
    package static let limits = YAMLLimits(bytes: 128 << 10, depth: 8, nodes: 8192)

    /// What the text says, and all that is wrong with it.
    ///
    /// JSON is YAML: both are taken. `auth` may only be the word that stands for a credential that is there. A host has
    /// one spelling, the canonical one, so that nobody has to ask which host a look-alike is.
    ///
    /// - Returns: no route when there is an error among the diagnostics.
    package static func read(
        name: String,
        bytes: [UInt8]
    ) -> (routes: [WrittenRoute], diagnostics: [Diagnostic]) {
        var findings = Findings()
        var written: [WrittenRoute] = []
        let rule = Cursor.OneDocumentRule(
            second: "a list of routes is one document",
            none: ("wrong-type", "there is no list of routes", nil),
            limits: limits
        )
        if let list = Cursor.root(of: name, bytes, path: "routes", rule, &findings) { written = read(list, &findings) }
        return (findings.hasErrors ? [] : written, findings.ordered(files: [name]))
    }

    private static func read(_ list: Cursor, _ findings: inout Findings) -> [WrittenRoute] {
        list.check(.list(.object(shape), least: 1), &findings)
        guard !list.node.holdsLongList else { return [] }
        var decoder = ManifestDecoder()
        var written: [WrittenRoute] = []
        for cursor in list.items {
            checkAuth(cursor, &findings)
            guard let host = cursor["host"], var route = decoder.route(cursor.without("auth")) else { continue }
            if host.text != route.host.text {
                findings.error(
                    "invalid-host",
                    "\(host.path): \(quoted(host.text ?? "")) is another spelling of a host",
                    at: host.place,
                    suggestion: "write '\(route.host)'"
                )
            }
            if written.contains(where: { $0.route.host == route.host }) {
                findings.error(
                    "duplicate-route",
                    "\(cursor.path): there is already a route to '\(route.host)'",
                    at: host.place,
                    suggestion: "one host has one route: put methods and paths together"
                )
            }
            route.auth = nil
            written.append(WrittenRoute(route: route, keys: cursor.entries.map(\.key).sorted()))
        }
        findings.append(decoder.findings)
        return written
    }

    private static func checkAuth(_ cursor: Cursor, _ findings: inout Findings) {
        guard let auth = cursor["auth"], auth.text != WrittenRoute.keptAuth else { return }
        findings.error(
            "authority",
            "\(auth.path): credentials are the operator's to write",
            at: auth.place,
            suggestion: "leave 'auth' out, or write \"\(WrittenRoute.keptAuth)\" where the route has it already"
        )
    }

    /// The manifest's own, but for `auth` and what it demands.
    private static let shape: ObjectShape = {
        var shape = ManifestShape.route
        shape.needs = []
        shape.keys = shape.keys.map { key in
            key.name == "auth" ? KeyShape("auth", .anything, "what stands for the credential") : key
        }
        return shape
    }()
}

extension Cursor {
    /// The same mapping without a key.
    fileprivate func without(_ key: String) -> Cursor {
        guard let entries = node.entries, entries.contains(where: { $0.key == key }) else { return self }
        let rest = YAMLNode(.mapping(entries.filter { $0.key != key }), mark: node.mark)
        return Cursor(source: source, node: rest, path: path)
    }
}
