/// What a bottle will be able to do, shown before it is launched (SPEC 7 and 10).
package struct Preflight: Sendable, Hashable, Codable {
    package struct Route: Sendable, Hashable, Codable {
        package var host: String
        package var port: Int
        /// `["any"]` or the methods by name.
        package var methods: [String]
        /// Path prefixes; empty: any path.
        package var paths: [String]
        /// Name of the secret that is added; null: none.
        package var credential: String?

        private enum CodingKeys: String, CodingKey { case host, port, methods, paths, credential }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(host, forKey: .host)
            try container.encode(port, forKey: .port)
            try container.encode(methods, forKey: .methods)
            try container.encode(paths, forKey: .paths)
            try container.encode(credential, forKey: .credential)
        }
    }

    package struct TLS: Sendable, Hashable, Codable {
        package var enabled: Bool
        /// SHA-256 of the bottle's CA; null until it is minted.
        package var caFingerprint: String?

        private enum CodingKeys: String, CodingKey { case enabled, caFingerprint }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(enabled, forKey: .enabled)
            try container.encode(caFingerprint, forKey: .caFingerprint)
        }
    }

    /// Every host that may be reached, sorted.
    package var hosts: [String]
    /// Names of the secrets that a sidecar is given, sorted.
    package var envNames: [String]
    package var routes: [Route]
    /// Upstreams that may be pushed to.
    package var gitRemotes: [String]
    package var tls: TLS

    package init(_ manifest: BottleManifest, caFingerprint: String?) {
        hosts = Set(manifest.routes.map(\.host.text) + manifest.egress.allowlist.map(\.text)).sorted()
        envNames = manifest.secrets.map(\.name)
        routes = manifest.routes.map { route in
            Route(
                host: route.host.text,
                port: route.port,
                methods: route.methods.list ?? ["any"],
                paths: route.pathAllowlist,
                credential: route.auth?.token.name
            )
        }
        gitRemotes = manifest.git.map(\.upstream)
        let intercepts = !manifest.routes.isEmpty
        tls = TLS(enabled: intercepts, caFingerprint: intercepts ? caFingerprint : nil)
    }
}

extension Preflight {
    /// The preflight of a bottle that is removed: it reaches nothing.
    package static let none = Preflight(
        hosts: [],
        envNames: [],
        routes: [],
        gitRemotes: [],
        tls: TLS(enabled: false, caFingerprint: nil)
    )

    private init(hosts: [String], envNames: [String], routes: [Route], gitRemotes: [String], tls: TLS) {
        self.hosts = hosts
        self.envNames = envNames
        self.routes = routes
        self.gitRemotes = gitRemotes
        self.tls = tls
    }
}
