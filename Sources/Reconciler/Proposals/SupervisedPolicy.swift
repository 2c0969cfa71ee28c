package import ReconcilerModel

/// What a proposal is judged against: the part of the desired state that an agent may know of and ask to change.
///
/// Of a credential it holds at most that there is one.
package struct SupervisedPolicy: Sendable, Hashable {
    package var bottle: Identity
    /// Those without limits, in order.
    package var routes: [Route]
    package var allowlist: [HostPattern]
    /// Whether a firewall stands in the way out, also where no routes are declared.
    package var hasFirewall: Bool
    /// The agent's Dockerfile; nil: its image is not built here.
    package var dockerfile: PresentDockerfile?

    package init(
        bottle: Identity,
        routes: [Route] = [],
        allowlist: [HostPattern] = [],
        hasFirewall: Bool = true,
        dockerfile: PresentDockerfile? = nil
    ) {
        self.bottle = bottle
        self.routes = routes
        self.allowlist = allowlist
        self.hasFirewall = hasFirewall
        self.dockerfile = dockerfile
    }

    /// What is desired, as the agent may know it.
    ///
    /// What holds only within limits is left out: asking for it again, for good, is a question of its own.
    package init(_ manifest: BottleManifest, dockerfile: PresentDockerfile?) {
        self.init(
            bottle: manifest.identity,
            routes: manifest.routes.filter { $0.grant == nil }.map { route in
                var route = route
                route.widenings = []
                return route
            },
            allowlist: manifest.egress.allowlist,
            hasFirewall: manifest.egress.firewall != .none,
            dockerfile: dockerfile
        )
    }

    /// The same as a manifest, for the rules by which changes apply to one.
    var manifest: BottleManifest? {
        guard let image = try? ImageReference("scratch") else { return nil }
        return BottleManifest(
            identity: bottle,
            agent: AgentSpec(image: .reference(image)),
            egress: EgressSpec(firewall: hasFirewall ? .squid : .none, allowlist: allowlist),
            routes: routes
        )
    }
}
