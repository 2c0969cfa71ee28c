package import ReconcilerModel

/// Reads a list of routes in the grammar of `egress_proxy.routes`, without credentials.
package enum RouteListReader {
    /// Limits for a list that a person can still review.
    package static let limits = YAMLLimits(bytes: 128 << 10, depth: 8, nodes: 8192)

    /// Reads the routes in the text, and collects everything that is wrong with it.
    ///
    /// Accepts YAML and, since JSON is YAML, JSON. `auth` may only be the word that stands for an existing credential.
    /// A host must be written in its canonical form, so that a look-alike can't pass for another host.
    ///
    /// - Returns: no routes if the diagnostics contain an error.
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
                    at: host.position,
                    suggestion: "write '\(route.host)'"
                )
            }
            if written.contains(where: { $0.route.host == route.host }) {
                findings.error(
                    "duplicate-route",
                    "\(cursor.path): there is already a route to '\(route.host)'",
                    at: host.position,
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
            at: auth.position,
            suggestion: "leave 'auth' out, or write \"\(WrittenRoute.keptAuth)\" where the route has it already"
        )
    }

    /// The manifest's route shape without the content of `auth` and what that requires.
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
    /// The same mapping without `key`.
    fileprivate func without(_ key: String) -> Cursor {
        guard let entries = node.entries, entries.contains(where: { $0.key == key }) else { return self }
        let rest = YAMLNode(.mapping(entries.filter { $0.key != key }), mark: node.mark)
        return Cursor(source: source, node: rest, path: path)
    }
}
