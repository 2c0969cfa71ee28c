import ReconcilerModel

extension ManifestDecoder {
    /// Decodes one route; nil if its host is invalid.
    mutating func route(_ cursor: Cursor) -> Route? {
        var host: HostPattern?
        if let written = cursor["host"], let text = written.text {
            host = self.host(text, path: written.path, at: written.position, allowsWildcard: true)
        }
        let methods = self.methods(cursor["methods"])
        let paths = self.pathAllowlist(cursor["path_allowlist"])
        let auth = cursor["auth"].flatMap { self.auth($0) }
        let roles = self.roles(cursor["role"])
        guard let host else { return nil }
        return Route(
            host: host,
            port: cursor["port"]?.integer ?? 443,
            roles: roles,
            methods: methods,
            pathAllowlist: paths,
            auth: auth,
            allowsClientAuth: cursor["client_auth"]?.text == "allow",
            allowsWebSocket: cursor["websocket"]?.boolean ?? false
        )
    }

    private mutating func roles(_ cursor: Cursor?) -> [Route.Role] {
        var roles: [Route.Role] = []
        for item in cursor?.texts ?? [] {
            guard let role = item.text.flatMap(Route.Role.init(rawValue:)) else { continue }
            if roles.contains(role) {
                findings.error(
                    "duplicate-value",
                    "\(item.path): '\(role.rawValue)' is in the list already",
                    at: item.position
                )
            } else {
                roles.append(role)
            }
        }
        return roles
    }

    private mutating func methods(_ cursor: Cursor?) -> Route.Methods {
        guard let cursor, cursor.node.items != nil else { return .any }
        var methods: [String] = []
        for item in cursor.items {
            guard let text = item.text else { continue }
            let upper = text.uppercased()
            if ["TRACE", "TRACK", "CONNECT"].contains(upper) {
                findings.error(
                    "invalid-value",
                    "\(item.path): \(upper) is never let through",
                    at: item.position,
                    suggestion: upper == "CONNECT" ? "for WebSockets write 'websocket: true'" : "remove it"
                )
            } else if upper == "ANY" {
                findings.error(
                    "invalid-value",
                    "\(item.path): 'any' stands alone",
                    at: item.position,
                    suggestion: "write 'methods: any'"
                )
            } else if !Self.isMethod(text) {
                findings.error(
                    "invalid-value",
                    "\(item.path): \(quoted(text)) is not an HTTP method",
                    at: item.position,
                    suggestion: Self.isMethod(upper)
                        ? "methods are upper case: \(upper)" : "upper-case letters, like GET"
                )
            } else if methods.contains(text) {
                findings.error("duplicate-value", "\(item.path): \(text) is in the list already", at: item.position)
            } else {
                let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
                if !known.contains(text), let near = nearest(text, in: known) {
                    findings.warning(
                        "unusual-method",
                        "\(item.path): \(text) is an unusual method",
                        at: item.position,
                        suggestion: "did you mean \(near)?"
                    )
                }
                methods.append(text)
            }
        }
        return .only(methods)
    }

    private static func isMethod(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return (1...32).contains(bytes.count) && bytes.first != 45
            && bytes.allSatisfy { (65...90).contains($0) || $0 == 45 }
    }

    private mutating func pathAllowlist(_ cursor: Cursor?) -> [String] {
        var paths: [String] = []
        for item in cursor?.items ?? [] {
            guard let text = item.text else { continue }
            if let problem = PathPrefix.problem(text) {
                findings.error(
                    "invalid-path",
                    "\(item.path): \(problem.message)",
                    at: item.position,
                    suggestion: problem.suggestion
                )
            } else if paths.contains(text) {
                findings.error(
                    "duplicate-value",
                    "\(item.path): \(quoted(text)) is in the list already",
                    at: item.position
                )
            } else {
                paths.append(text)
            }
        }
        return paths
    }

    private mutating func auth(_ cursor: Cursor) -> RouteAuth? {
        let header = cursor["header"]?.text ?? "Authorization"
        if let written = cursor["header"] {
            if !HeaderName.isToken(header) {
                findings.error(
                    "invalid-value",
                    "\(written.path): \(quoted(header)) is not a header's name",
                    at: written.position,
                    suggestion: "letters, digits and hyphens, without ':'"
                )
            } else if let reason = HeaderName.refusal(header) {
                findings.error("forbidden-header", "\(written.path): '\(header)' \(reason)", at: written.position)
            }
        }
        if let scheme = cursor["scheme"], let text = scheme.text, !HeaderName.isToken(text) {
            findings.error(
                "invalid-value",
                "\(scheme.path): \(quoted(text)) is not a scheme",
                at: scheme.position,
                suggestion: "one word like Bearer; leave the key out for none"
            )
        }
        guard let reference = cursor["token_ref"], let name = reference.text,
            let token = value(reference, { () throws(InvalidValue) in try SecretReference(name) })
        else { return nil }
        return RouteAuth(header: header, scheme: cursor["scheme"]?.text, token: token)
    }
}
