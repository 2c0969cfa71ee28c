package import ReconcilerModel

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// All that the supervise sidecar of a bottle knows: what is in force, and what was refused of late.
///
/// The host writes it; nothing of it is a secret to the agent.
package struct SupervisedState: Sendable, Hashable {
    package var policy: SupervisedPolicy
    /// The commit that it shows.
    package var revision: String
    /// What holds only within limits, a line each.
    package var limited: [String]
    /// The last ones, the newest last.
    package var refusals: [Refusal]

    /// A refused request, or several of a kind.
    package struct Refusal: Sendable, Hashable, Codable {
        package var sidecar: String
        package var host: String
        package var port: Int?
        package var method: String
        package var path: String
        package var rule: String
        package var reason: String
        package var last: String
        package var count: Int

        package init(
            sidecar: String,
            host: String,
            port: Int?,
            method: String,
            path: String,
            rule: String,
            reason: String,
            last: String,
            count: Int
        ) {
            self.sidecar = sidecar
            self.host = host
            self.port = port
            self.method = method
            self.path = path
            self.rule = rule
            self.reason = reason
            self.last = last
            self.count = count
        }
    }

    package static let refusalLimit = 50
    /// Bytes of the file.
    package static let fileLimit = 4 << 20

    package init(
        policy: SupervisedPolicy,
        revision: String,
        limited: [String] = [],
        refusals: [Refusal] = []
    ) {
        self.policy = policy
        self.revision = revision
        self.limited = limited
        self.refusals = refusals.suffix(Self.refusalLimit)
    }

    /// What a bottle's manifest, with its remediations applied, comes to.
    package init(
        _ manifest: BottleManifest,
        revision: String,
        dockerfile: PresentDockerfile?,
        refusals: [Refusal] = []
    ) {
        var limited: [String] = []
        for route in manifest.routes {
            if let grant = route.grant { limited.append("\(route.host): \(grant.limits.text)") }
            limited += route.widenings.map { "\(route.host): \($0.grant.limits.text)" }
        }
        self.init(
            policy: SupervisedPolicy(manifest, dockerfile: dockerfile),
            revision: revision,
            limited: limited,
            refusals: refusals
        )
    }
}

extension SupervisedState {
    private static let version = 1

    /// The file's bytes; the same for the same state.
    package func bytes() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(Document(self, version: Self.version))) + [UInt8(ascii: "\n")]
    }

    /// - Throws: `QueueFile.Unsuitable`.
    package init(reading bytes: [UInt8]) throws(QueueFile.Unsuitable) {
        let document: Document
        do {
            document = try JSONDecoder().decode(Document.self, from: Data(bytes))
        } catch {
            throw .init("it is no state of a bottle")
        }
        guard document.version == Self.version else {
            throw .init("it has version \(document.version), this program knows \(Self.version)")
        }
        do {
            self = try document.state()
        } catch {
            throw .init("it is no state of a bottle: \(error.rule)")
        }
    }

    private struct Document: Codable {
        var version: Int
        var bottle: String
        var revision: String
        var routes: [StoredRoute]
        var allowlist: [String]
        var firewall: Bool
        var dockerfile: String?
        /// What is built; an older program left it out.
        var builtDockerfile: String?
        var limited: [String]
        var refusals: [Refusal]

        init(_ state: SupervisedState, version: Int) {
            self.version = version
            bottle = state.policy.bottle.name
            revision = state.revision
            routes = state.policy.routes.map(StoredRoute.init)
            allowlist = state.policy.allowlist.map(\.text)
            firewall = state.policy.hasFirewall
            dockerfile = state.policy.dockerfile?.text
            builtDockerfile = state.policy.dockerfile?.built
            limited = state.limited
            refusals = state.refusals
        }

        func state() throws(InvalidValue) -> SupervisedState {
            var policy = SupervisedPolicy(bottle: try Identity(bottle))
            for route in routes { policy.routes.append(try route.route()) }
            for host in allowlist { policy.allowlist.append(try HostPattern(host)) }
            policy.hasFirewall = firewall
            policy.dockerfile = dockerfile.map {
                PresentDockerfile(built: builtDockerfile ?? $0, proposed: $0)
            }
            var state = SupervisedState(policy: policy, revision: revision, limited: limited)
            state.refusals = Array(refusals.suffix(SupervisedState.refusalLimit))
            return state
        }
    }

    private struct StoredRoute: Codable {
        var host: String
        var port: Int
        var roles: [String]
        /// Nil: any.
        var methods: [String]?
        var paths: [String]
        var hasAuth: Bool
        var clientAuth: Bool
        var webSocket: Bool

        init(_ route: Route) {
            host = route.host.text
            port = route.port
            roles = route.roles.map(\.rawValue)
            if case .only(let names) = route.methods { methods = names }
            paths = route.pathAllowlist
            hasAuth = route.auth != nil
            clientAuth = route.allowsClientAuth
            webSocket = route.allowsWebSocket
        }

        func route() throws(InvalidValue) -> Route {
            Route(
                host: try HostPattern(host),
                port: port,
                roles: roles.compactMap(Route.Role.init(rawValue:)),
                methods: methods.map(Route.Methods.only) ?? .any,
                pathAllowlist: paths,
                // Which secret it is, nobody in a bottle need know.
                auth: hasAuth ? RouteAuth(token: try SecretReference("KEPT")) : nil,
                allowsClientAuth: clientAuth,
                allowsWebSocket: webSocket
            )
        }
    }
}
