import ReconcilerModel

/// Recognizes manifests of older shapes, which are refused with the rewrite shown.
///
/// Compares keys without case, because older manifests wrote `Host` and `TokenRef`.
enum OlderShape {
    /// Reports every older key of `document`.
    ///
    /// - Returns: whether the whole document has an older shape, so that further checks would only add noise.
    static func report(_ document: Cursor, _ findings: inout Findings) -> Bool {
        let isWhole = document["apiVersion"] == nil && (document["bottle"] ?? document["bottles"]) != nil
        let mappings = [document, document["bottle"], document["spec"], document["spec"]?["bottle"]].compactMap { $0 }
        var found = false
        for mapping in mappings {
            for entry in mapping.entries {
                guard let rewrite = rewrite(entry.key.lowercased(), entry.value) else { continue }
                found = true
                findings.error(
                    "older-shape",
                    "'\(entry.value.path)' is an older shape: \(rewrite.reason)",
                    at: entry.keyPosition,
                    suggestion: rewrite.text
                )
            }
        }
        if isWhole, !found, let entry = document.entries.first(where: { ["bottle", "bottles"].contains($0.key) }) {
            findings.error(
                "older-shape",
                "'\(entry.key)' is an older shape: a bottle is a document of its own",
                at: entry.keyPosition,
                suggestion: """
                    write it as
                    apiVersion: bottle/v1
                    kind: Bottle
                    metadata:
                      name: \(quotedYAML(entry.value.entries.first?.value["name"]?.text ?? "dev"))
                    spec:
                      agent:
                        image: bottle/agent
                    """
            )
        }
        return isWhole || found
    }

    private static func rewrite(_ key: String, _ value: Cursor) -> (reason: String, text: String)? {
        switch key {
        case "ssh": ("keys never reach the agent; use 'git'", "write it as\n" + git(value))
        case "tokens": ("use 'egress_proxy.routes'", "write it as\n" + tokens(value))
        case "cred_proxy", "credproxy": ("use 'egress_proxy.routes'", "write it as\n" + credentialProxy(value))
        default: nil
        }
    }

    // MARK: bottle.ssh

    private static func git(_ value: Cursor) -> String {
        var lines = ["spec:", "  git:"]
        for (name, item) in named(value) {
            let host = field(item, "hostname", "host_name") ?? field(item, "host") ?? name ?? "git.example.com"
            let user = field(item, "user") ?? "git"
            let port = field(item, "port").map { $0 == "22" ? "" : ":\($0)" } ?? ""
            let label = name ?? field(item, "host", "name") ?? host
            lines.append("    - name: \(quotedYAML(label))")
            lines.append("      upstream: \(quotedYAML("ssh://\(user)@\(host)\(port)/OWNER/REPOSITORY.git"))")
            let identity = field(item, "identityfile", "identity_file", "key") ?? "~/.ssh/id_ed25519"
            lines.append("      identity_file: \(quotedYAML(identity))")
            if let key = field(item, "knownhostkey", "known_host_key") {
                lines.append("      known_host_key: \(quotedYAML(key))")
            }
        }
        return lines.joined(separator: "\n")
    }

    // MARK: bottle.tokens and bottle.cred_proxy

    private static func tokens(_ value: Cursor) -> String {
        var routes: [String] = []
        for (name, item) in named(value) {
            let kind = (field(item, "kind", "type") ?? name ?? "").lowercased()
            let reference = field(item, "tokenref", "token_ref", "env") ?? item.text ?? name ?? "TOKEN"
            let known = hosts.first { kind.contains($0.word) }
            let url = field(item, "host", "url", "upstream")
            let host = url.map(hostAndPort)?.host ?? known?.host ?? "HOST"
            routes += route(
                host: host,
                port: nil,
                scheme: field(item, "scheme", "auth_scheme") ?? known?.scheme,
                token: reference
            )
        }
        return routeList(routes)
    }

    private static func credentialProxy(_ value: Cursor) -> String {
        var routes: [String] = []
        for (_, item) in named(member(value, "routes") ?? value) {
            let target = hostAndPort(field(item, "upstream", "url", "host") ?? "HOST")
            routes += route(
                host: target.host,
                port: target.port,
                scheme: field(item, "auth_scheme", "authscheme", "scheme"),
                token: field(item, "token_ref", "tokenref", "token") ?? "TOKEN"
            )
            let roles = member(item, "role")?.texts.compactMap(\.text) ?? []
            let gone = roles.filter { goneRoles.contains($0) }
            if !gone.isEmpty { routes.append("      # gone: role \(gone.map(quotedYAML).joined(separator: ", "))") }
            if let path = field(item, "path") {
                routes.append("      # gone: the prefix \(quotedYAML(path)); the agent uses the host's own address")
            }
        }
        return routeList(routes)
    }

    private static let goneRoles: Set<String> = ["anthropic-base-url", "npm-registry", "git-insteadof", "tea-login"]

    private static let hosts: [(word: String, host: String, scheme: String)] = [
        ("anthropic", "api.anthropic.com", "Bearer"), ("claude", "api.anthropic.com", "Bearer"),
        ("github", "api.github.com", "Bearer"), ("npm", "registry.npmjs.org", "Bearer"),
        ("openai", "api.openai.com", "Bearer"), ("gitlab", "gitlab.com", "Bearer"),
        ("gitea", "gitea.example.com", "token"), ("forgejo", "forgejo.example.com", "token"),
    ]

    private static func routeList(_ routes: [String]) -> String {
        (["spec:", "  egress_proxy:", "    routes:"] + routes.map { "  " + $0 }).joined(separator: "\n")
    }

    private static func route(host: String, port: String?, scheme: String?, token: String) -> [String] {
        var auth = "token_ref: \(quotedYAML(token))"
        if let scheme { auth = "scheme: \(quotedYAML(scheme)), " + auth }
        var lines = ["    - host: \(quotedYAML(host))"]
        if let port { lines.append("      port: \(port)") }
        return lines + ["      methods: any", "      auth: {\(auth)}"]
    }

    private static func hostAndPort(_ text: String) -> (host: String, port: String?) {
        var rest = text[...]
        if let scheme = firstRange(of: "://", in: text) { rest = rest[scheme...].dropFirst(3) }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let parts = authority.split(separator: ":", maxSplits: 1)
        let port = parts.count > 1 ? Int(parts[1]).map(String.init) : nil
        return (parts.first.map(String.init) ?? "HOST", port == "443" ? nil : port)
    }

    // MARK: Reading loosely

    /// The items of a list, or the values of a mapping with their keys; at most 20.
    private static func named(_ value: Cursor) -> [(name: String?, item: Cursor)] {
        if value.node.items != nil { return value.items.prefix(20).map { (nil, $0) } }
        return value.entries.prefix(20).map { ($0.key, $0.value) }
    }

    private static func member(_ value: Cursor, _ names: String...) -> Cursor? {
        value.entries.first { names.contains($0.key.lowercased()) }?.value
    }

    private static func field(_ value: Cursor, _ names: String...) -> String? {
        for name in names {
            if let text = value.entries.first(where: { $0.key.lowercased() == name })?.value.text, !text.isEmpty {
                return String(text.unicodeScalars.prefix(200))
            }
        }
        return nil
    }

    private static func quotedYAML(_ text: String) -> String {
        YAMLText.scalar(String(text.unicodeScalars.prefix(200)))
    }
}
