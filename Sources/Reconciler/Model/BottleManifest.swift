/// One `kind: Bottle` document: what a person wants one bottle to be.
///
/// Two states of the same type: as *authored* it may name files, host variables and folders; *resolved* (SPEC 3) it
/// carries their contents and stands alone. `unresolved` tells which.
package struct BottleManifest: Sendable, Hashable {
    package var identity: Identity
    package var labels: [String: String]
    package var agent: AgentSpec
    package var egress: EgressSpec
    /// Routes of the egress-proxy, in the order written; when there are none, there is no egress-proxy.
    package var routes: [Route]
    package var git: [GitRemote]
    package var supervise: Bool

    package init(
        identity: Identity,
        labels: [String: String] = [:],
        agent: AgentSpec,
        egress: EgressSpec = EgressSpec(),
        routes: [Route] = [],
        git: [GitRemote] = [],
        supervise: Bool = false
    ) {
        self.identity = identity
        self.labels = labels
        self.agent = agent
        self.egress = egress
        self.routes = routes
        self.git = git
        self.supervise = supervise
    }

    /// The fields that still point outside the manifest, as paths like `spec.agent.prompt.file`.
    package var unresolved: [String] {
        var found: [String] = []
        if case .file = agent.prompt { found.append("spec.agent.prompt.file") }
        for (name, value) in agent.environment.sorted(by: { $0.key < $1.key }) {
            if case .fromHost = value { found.append("spec.agent.env.\(name)") }
        }
        if case .build(let source) = agent.image, source.pinned == nil { found.append("spec.agent.build") }
        for (index, root) in egress.trust.enumerated() {
            if case .file = root { found.append("spec.egress.trust[\(index)]") }
        }
        return found
    }

    /// Every secret that a sidecar of this bottle needs, sorted.
    package var secrets: [SecretReference] {
        Array(Set(routes.compactMap { $0.auth?.token })).sorted()
    }
}
