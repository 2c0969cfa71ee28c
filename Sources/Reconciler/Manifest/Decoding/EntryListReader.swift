package import ReconcilerModel

/// Reads the lists that can be edited on their own: routes as YAML, hosts one per line.
package enum EntryListReader {
    /// Reads a document with the single key `routes`, whose entries are those of `egress_proxy.routes` in a manifest.
    ///
    /// - Returns: nil routes if the diagnostics contain an error.
    package static func routes(file: String, bytes: [UInt8]) -> (routes: [Route]?, diagnostics: [Diagnostic]) {
        var findings = Findings()
        var decoder = ManifestDecoder()
        var routes: [(cursor: Cursor, route: Route)] = []
        let rule = Cursor.OneDocumentRule(
            second: "one document is wanted",
            none: ("empty-manifest", "there is no 'routes' in this file", "write 'routes: []' for no routes")
        )
        if let document = Cursor.root(of: file, bytes, rule, &findings) {
            document.check(.object(routeList), &findings)
            routes = (document["routes"]?.items ?? []).compactMap { cursor in
                decoder.route(cursor).map { (cursor: cursor, route: $0) }
            }
            decoder.checkRoutes(routes)
            findings.append(decoder.findings)
        }
        return (findings.hasErrors ? nil : routes.map(\.route), findings.ordered(files: [file]))
    }

    /// Reads one host or `*.` pattern per line; `#` begins a comment.
    ///
    /// - Returns: nil hosts if the diagnostics contain an error.
    package static func hosts(file: String, bytes: [UInt8]) -> (hosts: [HostPattern]?, diagnostics: [Diagnostic]) {
        var findings = Findings()
        var decoder = ManifestDecoder()
        var hosts: [HostPattern] = []
        if let text = SourceText.read(name: file, bytes: bytes, limit: YAMLLimits.manifest.bytes, findings: &findings) {
            for number in 1...max(text.lineCount, 1) {
                // `line` is nil for a line too long to show; it can't be a host either.
                let written = (text.line(number) ?? "? ?").prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
                guard let first = written.first else { continue }
                let position = SourcePosition(source: text, mark: YAMLMark(line: number, column: 1))
                guard written.count == 1 else {
                    findings.error("invalid-value", "one host a line", at: position)
                    continue
                }
                guard let host = decoder.host(String(first), path: "line \(number)", at: position, allowsWildcard: true)
                else { continue }
                if hosts.contains(host) {
                    findings.error("duplicate-value", "'\(host)' is in the list already", at: position)
                } else {
                    hosts.append(host)
                }
            }
            findings.append(decoder.findings)
        }
        return (findings.hasErrors ? nil : hosts, findings.ordered(files: [file]))
    }

    /// The text from which `routes` reads the same value.
    package static func text(of routes: [Route]) -> String {
        guard !routes.isEmpty else { return "routes: []\n" }
        var writer = YAMLWriter()
        writer.sequence("routes", routes) { ManifestDocument.route($0, &$1) }
        return writer.text
    }

    /// The text from which `hosts` reads the same value.
    package static func text(of hosts: [HostPattern]) -> String { hosts.map { "\($0.text)\n" }.joined() }

    private static let routeList = ObjectShape(
        "routes",
        [
            KeyShape(
                "routes",
                .list(.object(ManifestShape.route), least: 0),
                required: true,
                "each as in egress_proxy.routes"
            )
        ]
    )
}
