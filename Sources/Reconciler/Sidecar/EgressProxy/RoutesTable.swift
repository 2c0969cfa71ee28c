internal import FoundationEssentials
import ReconcilerTime

/// The routes file of the egress-proxy, as its addon reads it: JSON, rendered only from the model.
package struct RoutesTable: Sendable, Encodable {
    package struct Entry: Sendable, Encodable {
        var host: String
        var port: Int
        var methods: [String]?
        var paths: [String]
        var auth: Credential?
        var clientAuth: Bool
        var websocket: Bool
        /// Set if the whole entry is limited.
        var grant: Limited?
        /// What passes within limits, beyond `methods` and `paths`.
        var grants: [Limited]

        private enum CodingKeys: String, CodingKey {
            case host, port, methods, paths, auth, websocket, grant, grants
            case clientAuth = "client_auth"
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(host, forKey: .host)
            try container.encode(port, forKey: .port)
            // A missing list would be an error; null means "any".
            try container.encode(methods, forKey: .methods)
            try container.encode(paths, forKey: .paths)
            try container.encode(auth, forKey: .auth)
            try container.encode(clientAuth, forKey: .clientAuth)
            try container.encode(websocket, forKey: .websocket)
            // Only with limits: an older addon refuses the table then, and only then.
            try container.encodeIfPresent(grant, forKey: .grant)
            if !grants.isEmpty { try container.encode(grants, forKey: .grants) }
        }
    }

    /// Limits, and under `grants` what they are the limits of; those of one `id` share one count.
    package struct Limited: Sendable, Encodable {
        var grant: Grant
        /// Nil: that of the entry itself.
        var scope: RequestScope?

        private enum CodingKeys: String, CodingKey {
            case id, methods, paths
            case notAfter = "not_after"
            case maxUses = "max_uses"
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(grant.id, forKey: .id)
            try container.encode(grant.limits.notAfter?.description, forKey: .notAfter)
            try container.encode(grant.limits.maxUses, forKey: .maxUses)
            guard let scope else { return }
            try container.encode(scope.methods.list, forKey: .methods)
            try container.encode(scope.paths, forKey: .paths)
        }
    }

    package struct Credential: Sendable, Encodable {
        var header: String
        var scheme: String?
        var slot: String

        private enum CodingKeys: String, CodingKey { case header, scheme, slot }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(header, forKey: .header)
            try container.encode(scheme, forKey: .scheme)
            try container.encode(slot, forKey: .slot)
        }
    }

    package var version = 1
    package var routes: [Entry]
    package var allowlist: [String]

    package init(routes: [Route], allowlist: [HostPattern]) {
        self.routes = routes.map { route in
            Entry(
                host: route.host.text,
                port: route.port,
                methods: route.methods.list,
                paths: route.pathAllowlist,
                auth: route.auth.map {
                    Credential(header: $0.header, scheme: $0.scheme, slot: Self.slot(for: $0.token))
                },
                clientAuth: route.allowsClientAuth,
                websocket: route.allowsWebSocket,
                grant: route.grant.map { Limited(grant: $0) },
                grants: route.widenings.map { Limited(grant: $0.grant, scope: $0.scope) }
            )
        }
        self.allowlist = allowlist.map(\.text).sorted()
    }

    /// The environment variable that carries a secret into the egress-proxy.
    package static func slot(for secret: SecretReference) -> String { "BOTTLE_CREDENTIAL_\(secret.name)" }

    /// The file's bytes.
    package func content() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }
}

extension Route.Methods {
    /// The methods by name; nil for any.
    package var list: [String]? {
        switch self {
        case .any: nil
        case .only(let names): names
        }
    }
}
