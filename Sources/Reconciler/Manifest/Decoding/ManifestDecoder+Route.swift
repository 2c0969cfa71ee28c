import ReconcilerModel

extension ManifestDecoder {
    /// One route; nil when its host is wrong.
    mutating func route(_ cursor: Cursor) -> Route? {
        var host: HostPattern?
        if let written = cursor["host"], let text = written.text {
            host = self.host(text, path: written.path, at: written.place, allowsWildcard: true)
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
                    at: item.place
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
                    at: item.place,
                    suggestion: upper == "CONNECT" ? "for WebSockets write 'websocket: true'" : "remove it"
                )
            } else if upper == "ANY" {
                findings.error(
                    "invalid-value",
                    "\(item.path): 'any' stands alone",
                    at: item.place,
                    suggestion: "write 'methods: any'"
                )
            } else if !Self.isMethod(text) {
                findings.error(
                    "invalid-value",
                    "\(item.path): \(quoted(text)) is not an HTTP method",
                    at: item.place,
                    suggestion: Self.isMethod(upper)
                        ? "methods are upper case: \(upper)" : "upper-case letters, like GET"
                )
            } else if methods.contains(text) {
                findings.error("duplicate-value", "\(item.path): \(text) is in the list already", at: item.place)
            } else {
                let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
                if !known.contains(text), let near = nearest(text, in: known) {
                    findings.warning(
                        "unusual-method",
                        "\(item.path): \(text) is an unusual method",
                        at: item.place,
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
                    at: item.place,
                    suggestion: problem.suggestion
                )
            } else if paths.contains(text) {
                findings.error(
                    "duplicate-value",
                    "\(item.path): \(quoted(text)) is in the list already",
                    at: item.place
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
                    at: written.place,
                    suggestion: "letters, digits and hyphens, without ':'"
                )
            } else if let reason = HeaderName.refusal(header) {
                findings.error("forbidden-header", "\(written.path): '\(header)' \(reason)", at: written.place)
            }
        }
        if let scheme = cursor["scheme"], let text = scheme.text, !HeaderName.isToken(text) {
            findings.error(
                "invalid-value",
                "\(scheme.path): \(quoted(text)) is not a scheme",
                at: scheme.place,
                suggestion: "one word like Bearer; leave the key out for none"
            )
        }
        guard let reference = cursor["token_ref"], let name = reference.text,
            let token = value(reference, { () throws(InvalidValue) in try SecretReference(name) })
        else { return nil }
        return RouteAuth(header: header, scheme: cursor["scheme"]?.text, token: token)
    }
}

/// Names of HTTP headers.
enum HeaderName {
    /// Whether `text` is a token of RFC 9110.
    static func isToken(_ text: String) -> Bool {
        let marks = Set("!#$%&'*+-.^_`|~".utf8)
        return (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { ManifestDecoder.isAlphanumeric($0) || marks.contains($0) }
    }

    /// Why a credential can't go into the header `name`; nil when it can.
    static func refusal(_ name: String) -> String? {
        let lower = name.lowercased()
        if framing.contains(lower) { return "belongs to the connection, not to a credential" }
        if lower.hasPrefix("proxy-") { return "is read by proxies on the way, not by the host" }
        if lower.hasPrefix("sec-") || lower.hasPrefix("x-forwarded-") || routing.contains(lower) {
            return "changes where or how a request is read"
        }
        return nil
    }

    private static let framing: Set<String> = [
        "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "keep-alive",
        "te",
        "trailer", "upgrade", "expect", "date", "http2-settings",
    ]

    private static let routing: Set<String> = [
        "via", "forwarded", "max-forwards", "x-real-ip", "x-http-method", "x-http-method-override", "x-method-override",
        "x-original-url", "x-rewrite-url", "x-original-host", "x-host", "range", "accept-encoding",
    ]
}

/// Prefixes of paths on segment boundaries.
enum PathPrefix {
    /// What is ambiguous in `text`; nil when it is a prefix that every program reads the same way.
    static func problem(_ text: String) -> (message: String, suggestion: String?)? {
        let bytes = Array(text.utf8)
        guard bytes.first == UInt8(ascii: "/") else {
            return ("\(quoted(text)) does not begin with '/'", "write '/\(text.prefix(80))'")
        }
        guard bytes.count <= 1024 else { return ("a path prefix has at most 1024 bytes", nil) }
        if let cut = text.firstIndex(where: { $0 == "?" || $0 == "#" }) {
            return ("a path prefix has no query and no fragment", "write '\(text[..<cut].prefix(80))'")
        }
        if text.hasSuffix("*") {
            return ("entries are prefixes, not patterns", "write '\(text.drop(last: "*").prefix(80))'")
        }
        if bytes.contains(where: { $0 <= 0x20 || $0 >= 0x7F || "\\\"<>^`{|}*".utf8.contains($0) }) {
            return ("\(quoted(text)) holds a character that paths don't have", "percent-encode it")
        }
        let segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            if segment.isEmpty, index < segments.count - 1 {
                return ("\(quoted(text)) has an empty segment", "write one '/'")
            }
            // Some servers ignore blanks at the end of a name, and more dots than two.
            let plain = segment.lowercased().replacing("%2e", with: ".").replacing("%20", with: " ")
            let dots = plain.drop { $0 == " " }
            if dots.first == ".", dots.allSatisfy({ $0 == "." || $0 == " " }) {
                return ("\(quoted(text)) has a dot segment", "write where it leads to")
            }
            // Some servers cut a segment's parameters off before they judge dots.
            if segment.contains(";") { return ("\(quoted(text)) has a ';', which servers read in different ways", nil) }
        }
        return encodingProblem(bytes, text)
    }

    private static func encodingProblem(_ bytes: [UInt8], _ text: String) -> (message: String, suggestion: String?)? {
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "%") else {
                index += 1
                continue
            }
            let digits = String(decoding: bytes[(index + 1)...].prefix(2), as: UTF8.self)
            guard digits.count == 2, digits.allSatisfy(\.isHexDigit), let byte = UInt8(digits, radix: 16) else {
                return ("\(quoted(text)) has a '%' without two hexadecimal digits", nil)
            }
            if byte < 0x20 || byte >= 0x7F || "/\\.%;?#".utf8.contains(byte) {
                return ("\(quoted(text)) encodes a character that servers read in different ways: %\(digits)", nil)
            }
            index += 3
        }
        return nil
    }
}

extension String {
    fileprivate func drop(last character: Character) -> Substring {
        var rest = self[...]
        while rest.last == character { rest.removeLast() }
        return rest
    }
}
