import ReconcilerModel

extension RefusalSuggestion {
    /// What to write into the manifest, as YAML; empty when there is nothing.
    ///
    /// Of a route that is there already it shows the keys that change, with their whole new values.
    package var yaml: String {
        var lines: [String] = []
        if !addedHosts.isEmpty || !removedHosts.isEmpty {
            lines += ["  egress:", "    allowlist:"]
            lines += addedHosts.map { "      - \($0)" }
            lines += removedHosts.map { "      # take out: \($0)" }
        }
        if !changedRoutes.isEmpty {
            lines += ["  egress_proxy:", "    routes:"]
            for (old, new) in changedRoutes {
                lines.append("      - host: \(new.host)\(old == nil ? "" : "  # the route that is there")")
                lines += Self.keys(of: new, unlike: old).map { "        \($0)" }
            }
        }
        return lines.isEmpty ? "" : (["spec:"] + lines).joined(separator: "\n")
    }

    private static func keys(of new: Route, unlike old: Route?) -> [String] {
        let old = old ?? Route(host: new.host)
        var keys: [String] = []
        if new.port != old.port { keys.append("port: \(new.port)") }
        if new.methods != old.methods, case .only(let methods) = new.methods {
            keys.append("methods: [\(methods.joined(separator: ", "))]")
        }
        if new.pathAllowlist != old.pathAllowlist {
            // Quoted: in YAML some of their characters have a meaning of their own.
            keys.append("path_allowlist: [\(new.pathAllowlist.map { "\"\($0)\"" }.joined(separator: ", "))]")
        }
        if new.allowsWebSocket != old.allowsWebSocket { keys.append("websocket: \(new.allowsWebSocket)") }
        return keys
    }
}
