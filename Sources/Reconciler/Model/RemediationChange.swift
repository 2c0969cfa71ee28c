/// What a remediation changes, by meaning: never a whole file, so that it outlives edits of the manifest.
package enum RemediationChange: Sendable, Hashable {
    case routeAdded(Route)
    /// What changed of a host's route: the difference between the route it was made for and what became of it.
    case routeChanged(from: Route, to: Route)
    case routeRemoved(HostPattern)
    /// An entry of `egress.allowlist`.
    case hostAdded(HostPattern)
    case hostRemoved(HostPattern)
    case dockerfileReplaced(DockerfileReplacement)
}

/// Another Dockerfile for the agent's image.
package struct DockerfileReplacement: Sendable, Hashable {
    /// The whole text, for people: the stored context has it too.
    package var dockerfile: String
    /// The stored copy of the context that the image is built from, with the Dockerfile at `path`.
    package var context: ContentDigest
    /// Where in the context the Dockerfile is.
    package var path: String
    /// The manifest's image that it was made for, as `AgentImage.origin` writes it.
    package var replaces: String
    /// The image that its first stage begins with, for one that an agent proposed: every build of it is restricted.
    ///
    /// Nil for an operator's own.
    package var base: ImageID?
    /// The text as it was asked for, with names where `dockerfile` has ids of images; nil: as `dockerfile`.
    package var proposed: String?

    package init(
        dockerfile: String,
        context: ContentDigest,
        path: String = "Dockerfile",
        replaces: String,
        base: ImageID? = nil,
        proposed: String? = nil
    ) {
        self.dockerfile = dockerfile
        self.context = context
        self.path = path
        self.replaces = replaces
        self.base = base
        self.proposed = proposed
    }
}

extension AgentImage {
    /// Where the image comes from, as one text: `image NAME`, or `context DIGEST PATH` for a pinned build.
    package var origin: String {
        switch self {
        case .reference(let reference): "image \(reference)"
        case .build(let source): "context \(source.pinned?.hex ?? source.context) \(source.dockerfile)"
        }
    }
}

extension RemediationChange {
    /// The host whose entry it changes; nil for the agent's image.
    package var host: HostPattern? {
        switch self {
        case .routeAdded(let route), .routeChanged(_, let route): route.host
        case .routeRemoved(let host), .hostAdded(let host), .hostRemoved(let host): host
        case .dockerfileReplaced: nil
        }
    }

    /// What it does, in one line.
    package var text: String {
        switch self {
        case .routeAdded(let route): "add a route to \(route.host)"
        case .routeChanged(_, let route): "change the route to \(route.host)"
        case .routeRemoved(let host): "remove the route to \(host)"
        case .hostAdded(let host): "allow \(host)"
        case .hostRemoved(let host): "no longer allow \(host)"
        case .dockerfileReplaced: "replace the agent's Dockerfile"
        }
    }

    /// A slug for a remediation that makes this change.
    package var slug: String {
        let words =
            switch self {
            case .routeAdded: "add-route"
            case .routeChanged: "change-route"
            case .routeRemoved: "remove-route"
            case .hostAdded: "add-host"
            case .hostRemoved: "remove-host"
            case .dockerfileReplaced: "replace-dockerfile"
            }
        let name = host.map { "-" + $0.base.split(separator: ".").joined(separator: "-") } ?? ""
        var slug = String((words + name).prefix(40))
        while slug.hasSuffix("-") { slug.removeLast() }
        return slug
    }

    /// Why it is no change; nil when it is one.
    package var problem: String? {
        switch self {
        case .routeChanged(let old, let new):
            if old.host != new.host { return "a changed route keeps its host" }
            if old == new { return "the route is the same before and after" }
            return old.isUnlimited && new.isUnlimited ? nil : "limits belong to the remediation, not to its route"
        case .routeAdded(let route):
            return route.isUnlimited ? nil : "limits belong to the remediation, not to its route"
        case .dockerfileReplaced(let replacement):
            return replacement.replaces.isEmpty ? "it does not say which image it replaces" : nil
        case .routeRemoved, .hostAdded, .hostRemoved: return nil
        }
    }

    /// Why it can't be limited in time or uses; nil when it can.
    package var limitProblem: String? {
        switch self {
        case .hostAdded: nil
        case .routeAdded(let route):
            route.roles.isEmpty ? nil : "a route with a role can't be limited: the agent would change when it ends"
        case .routeChanged(let old, let new):
            if old.with(scope: new.scope) != new {
                "only methods and paths of a route can be widened for a time"
            } else if !new.scope.covers(old.scope) || old.scope.covers(new.scope) {
                "what takes something away can't be limited: its end would give it back unasked"
            } else {
                nil
            }
        case .routeRemoved, .hostRemoved:
            "what takes something away can't be limited: its end would give it back unasked"
        case .dockerfileReplaced: "a Dockerfile can't be limited: the agent would be replaced when it ends"
        }
    }
}
