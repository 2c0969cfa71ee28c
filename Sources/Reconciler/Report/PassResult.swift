package import ReconcilerTime

/// How a pass ended.
package enum PassOutcome: Sendable {
    /// The observed state is the desired state.
    case converged
    /// Something failed; trying again later may help.
    case retry(BottleError)
    /// Nothing may be done before a person acts.
    case stalled(BottleError)

    /// The outcome in one word, for programs.
    package var word: String {
        switch self {
        case .converged: "converged"
        case .retry: "retry"
        case .stalled: "stalled"
        }
    }
}

/// What one pass did.
package struct PassResult: Sendable {
    package var identity: Identity
    /// Nil: no pass was needed to see that there is nothing to do.
    package var id: PassID?
    package var revision: Revision?
    package var performed: [PerformedAction]
    package var drift: [Drift]
    package var findings: [Finding]
    package var preflight: Preflight
    package var outcome: PassOutcome
    /// What became of each remediation; nil: the pass ended before it read them.
    package var remediations: [RemediationOutcome]?
    /// How long after the pass began the next limit ends by time; nil: none will.
    package var untilNextEnd: Duration?
    /// The proposals that wait for an operator, old and new ones.
    package var proposed: [Proposal] = []

    /// The result of a pass that has not begun: not converged.
    package init(identity: Identity, id: PassID?) {
        self.identity = identity
        self.id = id
        performed = []
        drift = []
        findings = []
        preflight = .none
        outcome = .retry(BottleError(.notBegun, "the pass did not begin", at: identity.name))
    }

    /// The result for a bottle that was found as desired without a pass.
    package init(settled identity: Identity, revision: Revision?, preflight: Preflight) {
        self.init(identity: identity, id: nil)
        self.revision = revision
        self.preflight = preflight
        outcome = .converged
    }

    /// Adds what a look found; differences that the pass may have caused itself are no drift.
    package mutating func note(_ plan: Plan, isDrift: Bool) {
        if isDrift { drift += plan.drift.filter { !drift.contains($0) } }
        findings = plan.findings
    }

    /// Adds what is desired.
    package mutating func note(_ remedied: RemediedBottle, at moment: Timestamp) {
        remediations = remedied.outcomes
        untilNextEnd = remedied.nextEnd.map { .seconds($0.seconds - moment.seconds) }
    }

    /// Whether it healed drift.
    package var hasHealed: Bool { !drift.isEmpty && performed.contains { $0.outcome == .done } }

    /// Whether it restarted an agent that had ended.
    package var startsEndedAgent: Bool {
        performed.contains {
            $0.action.verb == .start && $0.action.object == .container(.agent) && $0.action.reason == .ended
        }
    }

    package var error: BottleError? {
        switch outcome {
        case .converged: nil
        case .retry(let error), .stalled(let error): error
        }
    }
}

extension PlanDocument.Bottle {
    /// What a pass did, as a document.
    package init(_ result: PassResult) {
        self.init(result.identity, performed: result.performed, drift: result.drift, preflight: result.preflight)
        pass = result.id?.description
    }
}

extension Finding {
    /// The finding as an error; nil for one that blocks nothing.
    package var error: BottleError? {
        switch self {
        case .nameTaken(let object, let name, let holder):
            BottleError(
                .nameTaken,
                "the name of \(object) is taken by \(holder)",
                at: name,
                remedy: "look whether it is needed; remove or rename it, or name the bottle otherwise. "
                    + "bottle never touches what it did not make"
            )
        case .externalNetworkMissing(let name):
            BottleError(
                .networkMissing,
                "the network that `egress.network` names is not there",
                at: name,
                remedy: "create it, or leave `egress.network` out for a network of the bottle's own"
            )
        case .externalNetworkOfBottle(let name):
            BottleError(
                .networkOfABottle,
                "the network that `egress.network` names belongs to a bottle",
                at: name,
                remedy: "name a network that bottle did not make, or leave `egress.network` out"
            )
        case .imageForgesLabels(let role, let reference):
            BottleError(
                .imageForgesLabels,
                "the image of \(role.rawValue) carries dev.bottle.* labels, by which bottle knows its own containers",
                at: reference.text,
                remedy: "build the image without these labels"
            )
        case .replacementPending, .reloadRefused, .agentEnded, .agentRests, .foreignContainer: nil
        }
    }
}

extension Finding {
    /// The error that a refused load makes of a bottle; nil for every other finding.
    package func refusedLoad(of identity: Identity) -> BottleError? {
        guard case .reloadRefused(let role, let reason) = self else { return nil }
        return BottleError(
            .loadRefused,
            "\(role.rawValue) refuses its new files: \(reason); what it had stays in force",
            at: Names.container(identity, role),
            remedy: "see `docker logs \(Names.container(identity, role))`"
        )
    }
}
