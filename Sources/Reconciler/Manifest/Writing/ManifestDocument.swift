package import ReconcilerModel

/// A manifest as YAML text.
package enum ManifestDocument {
    /// One document that reads back as the same manifest.
    ///
    /// Deterministic: sorts mappings that have no order of their own, and leaves out default values. Also leaves out
    /// entries that hold only within limits, because a manifest can't express limits.
    package static func yaml(of manifest: BottleManifest) -> String {
        var writer = YAMLWriter()
        writer.pair("apiVersion", ManifestShape.apiVersion)
        writer.pair("kind", "Bottle")
        writer.mapping("metadata") { writer in
            writer.pair("name", manifest.identity.name)
            writer.table("labels", manifest.labels)
        }
        writer.mapping("spec") { writer in
            writer.mapping("agent") { agent(manifest.agent, &$0) }
            writer.mapping("egress") { egress(manifest.egress, &$0) }
            let routes = manifest.routes.filter { $0.grant == nil }
            if !routes.isEmpty {
                writer.mapping("egress_proxy") { writer in
                    writer.sequence("routes", routes) { route($0, &$1) }
                }
            }
            if !manifest.git.isEmpty { writer.sequence("git", manifest.git) { gitRemote($0, &$1) } }
            if manifest.supervise { writer.raw("supervise", "true") }
        }
        return writer.text
    }

    private static func agent(_ agent: AgentSpec, _ writer: inout YAMLWriter) {
        switch agent.image {
        case .reference(let reference): writer.pair("image", reference.text)
        case .build(let source):
            writer.mapping("build") { writer in
                writer.pair("context", source.context)
                writer.pair("dockerfile", source.dockerfile)
                if let pinned = source.pinned { writer.pair("pinned", pinned.hex) }
                if let base = source.base { writer.pair("base", base.text) }
            }
        }
        writer.list("command", agent.command)
        if let user = agent.user { writer.pair("user", user) }
        if let home = agent.home { writer.pair("home", home) }
        if agent.restart != .never { writer.pair("restart", agent.restart.rawValue) }
        switch agent.prompt {
        case .file(let path): writer.mapping("prompt") { $0.pair("file", path) }
        case .text(let text): writer.mapping("prompt") { $0.pair("text", text) }
        case nil: break
        }
        writer.list("skills", agent.skills)
        if !agent.environment.isEmpty {
            writer.mapping("env") { writer in
                for (name, value) in agent.environment.sorted(by: { $0.key < $1.key }) {
                    switch value {
                    case .literal(let text): writer.pair(name, text)
                    case .fromHost(let source): writer.mapping(name) { $0.pair("from_host", source) }
                    }
                }
            }
        }
        if agent.workspace != Workspace() {
            writer.mapping("workspace") { writer in
                writer.pair("mode", agent.workspace.mode.rawValue)
                if let path = agent.workspace.path { writer.pair("path", path) }
            }
        }
        if agent.resources != Resources() {
            writer.mapping("resources") { writer in
                if let cpus = agent.resources.milliCPUs { writer.raw("cpus", ProcessorCount.text(cpus)) }
                if let memory = agent.resources.memory { writer.raw("memory", MemorySize.text(memory)) }
                if let pids = agent.resources.pids { writer.raw("pids", String(pids)) }
            }
        }
        if let runtime = agent.runtime { writer.pair("runtime", runtime) }
    }

    private static func egress(_ egress: EgressSpec, _ writer: inout YAMLWriter) {
        writer.pair("firewall", egress.firewall.rawValue)
        writer.list("allowlist", egress.allowlist.map(\.text))
        writer.list("passthrough", egress.passthrough.map(\.text))
        if let network = egress.network { writer.pair("network", network) }
        writer.table("extra_hosts", egress.extraHosts.mapValues(\.description))
        writer.list("private", egress.privateRanges.map(\.description))
        guard !egress.trust.isEmpty else { return }
        writer.sequence("trust", egress.trust) { root, writer in
            switch root {
            case .file(let path): writer.item(path)
            case .pem(let text): writer.pair("pem", text)
            }
        }
    }

    static func route(_ route: Route, _ writer: inout YAMLWriter) {
        writer.pair("host", route.host.text)
        if route.port != 443 { writer.raw("port", String(route.port)) }
        writer.list("role", route.roles.map(\.rawValue))
        switch route.methods {
        case .any: writer.pair("methods", "any")
        case .only(let methods): writer.list("methods", methods)
        }
        writer.list("path_allowlist", route.pathAllowlist)
        if let auth = route.auth {
            writer.mapping("auth") { writer in
                if auth.header != "Authorization" { writer.pair("header", auth.header) }
                if let scheme = auth.scheme { writer.pair("scheme", scheme) }
                writer.pair("token_ref", auth.token.name)
            }
        }
        if route.allowsClientAuth { writer.pair("client_auth", "allow") }
        if route.allowsWebSocket { writer.raw("websocket", "true") }
    }

    private static func gitRemote(_ remote: GitRemote, _ writer: inout YAMLWriter) {
        writer.pair("name", remote.name)
        writer.pair("upstream", remote.upstream)
        writer.pair("identity_file", remote.identityFile)
        if let key = remote.knownHostKey { writer.pair("known_host_key", key) }
        writer.list("refs", remote.refs)
        writer.table("extra_hosts", remote.extraHosts.mapValues(\.description))
        writer.list("allow_binary", remote.allowBinary)
    }
}
