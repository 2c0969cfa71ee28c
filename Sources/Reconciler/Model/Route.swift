/// One host the egress-proxy forwards to, with its limits and its credential.
package struct Route: Sendable, Hashable {
    package var host: HostPattern
    /// Upstream port; 443 unless the manifest says otherwise.
    package var port: Int
    package var roles: [Role]
    package var methods: Methods
    /// Path prefixes on segment boundaries; empty: any path.
    package var pathAllowlist: [String]
    package var auth: RouteAuth?
    /// Whether a credential that the client sends is left on the request.
    package var allowsClientAuth: Bool
    package var allowsWebSocket: Bool
    /// Set when the whole route holds only within limits; nil: it holds always.
    package var grant: Grant?
    /// What passes within limits beside the route's own methods and paths.
    package var widenings: [Widening]

    package init(
        host: HostPattern,
        port: Int = 443,
        roles: [Role] = [],
        methods: Methods = .any,
        pathAllowlist: [String] = [],
        auth: RouteAuth? = nil,
        allowsClientAuth: Bool = false,
        allowsWebSocket: Bool = false,
        grant: Grant? = nil,
        widenings: [Widening] = []
    ) {
        self.host = host
        self.port = port
        self.roles = roles
        self.methods = methods
        self.pathAllowlist = pathAllowlist
        self.auth = auth
        self.allowsClientAuth = allowsClientAuth
        self.allowsWebSocket = allowsWebSocket
        self.grant = grant
        self.widenings = widenings
    }

    /// Whether no part of it is limited in time or uses.
    package var isUnlimited: Bool { grant == nil && widenings.isEmpty }

    /// Its methods and paths.
    package var scope: RequestScope { RequestScope(methods: methods, paths: pathAllowlist) }

    /// The same route with other methods and paths.
    package func with(scope: RequestScope) -> Route {
        var route = self
        route.methods = scope.methods
        route.pathAllowlist = scope.paths
        return route
    }

    /// The same route without limits and without methods and paths: who is reached, how, and as whom.
    package var bearing: Route {
        var route = with(scope: RequestScope())
        route.grant = nil
        route.widenings = []
        return route
    }

    /// A special meaning that a route has for the agent.
    package enum Role: String, Sendable, Hashable, CaseIterable {
        case claudeCodeOAuth = "claude_code_oauth"
    }

    /// The HTTP methods a route lets through.
    package enum Methods: Sendable, Hashable {
        case any
        case only([String])
    }
}

/// The credential that the egress-proxy adds to a route's requests.
package struct RouteAuth: Sendable, Hashable {
    package var header: String
    /// Put before the value with a space; nil: the value alone.
    package var scheme: String?
    package var token: SecretReference

    package init(header: String = "Authorization", scheme: String? = nil, token: SecretReference) {
        self.header = header
        self.scheme = scheme
        self.token = token
    }
}
