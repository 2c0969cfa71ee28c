/// The ordered actions that turn observed into desired, each with its reason.
package struct Plan: Sendable, Hashable {
    package var identity: Identity
    package var actions: [Action]
    package var drift: [Drift]
    /// What the planner reports without acting on it.
    package var findings: [Finding]
    /// Whether a living agent ends by this plan, or by the one that follows once its image is there.
    package var replacesAgent = false

    package init(identity: Identity, actions: [Action] = [], drift: [Drift] = [], findings: [Finding] = []) {
        self.identity = identity
        self.actions = actions
        self.drift = drift
        self.findings = findings
    }

    package var isEmpty: Bool { actions.isEmpty }

    /// The exit code of an agent that ended and stays ended; nil while it runs or is to run.
    package var agentExit: Int? {
        for finding in findings {
            if case .agentEnded(let code) = finding { return code }
        }
        return nil
    }
}

/// Observed state that differs from the state last converged to, without a desired-state edit.
package struct Drift: Sendable, Hashable {
    /// What differs: the reason of the action that heals it, or of the finding that reports it.
    package var kind: Reason
    package var object: ObjectName
    /// How it differs, in words.
    package var cause: String

    package init(kind: Reason, object: ObjectName, cause: String) {
        self.kind = kind
        self.object = object
        self.cause = cause
    }
}

/// Something the planner saw and leaves alone.
package enum Finding: Sendable, Hashable {
    /// Something that isn't ours holds one of our names. Nothing of the bottle is touched.
    case nameTaken(object: ObjectName, name: String, holder: String)
    /// The network that the manifest names in place of its own isn't there.
    case externalNetworkMissing(String)
    /// The network that the manifest names in place of its own is one that bottle made for a bottle.
    case externalNetworkOfBottle(String)
    /// An image carries labels that only we may set.
    case imageForgesLabels(role: Role, reference: ImageReference)
    /// A living agent isn't what it should be, without a desired-state edit.
    case replacementPending(reason: Reason)
    /// A sidecar refused the files it should load.
    case reloadRefused(role: Role, reason: String)
    /// A container that is not the bottle's is on a network of the bottle, beside the agent and the sidecars.
    case foreignContainer(name: String, network: NetworkRole)
    /// The agent ended again and again: the next start waits.
    case agentRests
    /// The agent ended and its restart policy leaves it so.
    case agentEnded(exitCode: Int)

    /// Whether nothing may be done for the bottle before a person acts.
    package var blocks: Bool {
        switch self {
        case .nameTaken, .externalNetworkMissing, .externalNetworkOfBottle, .imageForgesLabels: true
        case .replacementPending, .reloadRefused, .agentEnded, .agentRests, .foreignContainer: false
        }
    }
}
