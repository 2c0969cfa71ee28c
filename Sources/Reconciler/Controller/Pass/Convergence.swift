package import ReconcilerModel

/// Decides what a pass does next: look again, find secrets, act, or end.
///
/// A state machine without effects. The pass looks at the bottle, asks `next(after:lacksSecrets:)`, does what the
/// answer says, and reports what it did. Each look begins a round. The last round only looks, so a bottle that never
/// settles ends the pass.
package struct Convergence: Sendable {
    /// What the pass does next.
    package enum Step: Sendable {
        /// Look at the bottle again.
        case look
        /// Find the values of all secrets, then look again: a container is to be made that holds them.
        case findSecrets
        /// Perform the plan, then call `next(after:performed:hasNewAddresses:)`.
        case act
        /// Record that nothing is left to do.
        case markConverged
        /// End with this outcome.
        case end(PassOutcome)
    }

    /// How many times a pass looks at its bottle.
    package static let rounds = 10

    private let identity: Identity
    private let mayEndAgent: Bool
    private let readsFiles: Bool
    private var round = 0
    private var failed: Failure?
    /// Whether the next look reads files whole: nothing was left to do that a look from outside shows.
    package private(set) var isReading = false
    /// The sidecars that never said what they have loaded since their start, though this pass waited for it.
    package private(set) var silent: Set<Role> = []

    /// The failure after which the pass looks once more.
    private struct Failure {
        var plan: Plan
        var error: BottleError
    }

    /// - Parameters:
    ///   - mayEndAgent: whether a living agent may be ended for a desired-state edit.
    ///   - readsFiles: whether the pass reads files whole before it ends as converged.
    package init(_ identity: Identity, mayEndAgent: Bool, readsFiles: Bool) {
        self.identity = identity
        self.mayEndAgent = mayEndAgent
        self.readsFiles = readsFiles
    }

    /// Whether a difference that this round's look finds is drift of the bottle.
    ///
    /// In other rounds the pass itself may have caused it.
    package var seesDrift: Bool { round == 0 || isReading || !silent.isEmpty }

    private var isLastRound: Bool { round == Self.rounds - 1 }

    /// What to do about the plan of this round's look.
    ///
    /// - Parameter lacksSecrets: whether the plan makes a container that holds a secret whose value was not found yet.
    package mutating func next(after plan: Plan, lacksSecrets: Bool) -> Step {
        if let problem = plan.findings.compactMap(\.error).first { return .end(.stalled(problem)) }
        guard mayEndAgent || !plan.replacesAgent else { return .end(.stalled(.needsYes([identity]))) }
        guard !plan.isEmpty else {
            guard readsFiles, !isReading, !isLastRound else { return .markConverged }
            isReading = true
            return lookAgain()
        }
        if let failed, !plan.mendsNetworks(after: failed.plan) { return .end(.retry(failed.error)) }
        guard !isLastRound else { return .end(.retry(notConverging)) }
        guard !lacksSecrets else {
            _ = lookAgain()
            return .findSecrets
        }
        return .act
    }

    /// What to do after a plan was performed.
    ///
    /// - Parameter hasNewAddresses: whether addresses that the engine refused were given up; the next round has others.
    package mutating func next(after plan: Plan, performed: [PerformedAction], hasNewAddresses: Bool) -> Step {
        let newlySilent = performed.silent.subtracting(silent)
        guard newlySilent.isEmpty else {
            // A pass restarts each of them once. What else failed fails again in the next round.
            silent.formUnion(newlySilent)
            return lookAgain()
        }
        guard let first = performed.first(where: { $0.outcome == .failed }), !hasNewAddresses else {
            return lookAgain()
        }
        guard failed == nil else { return .end(.retry(failure(first))) }
        // One more look: a network that a killed process had asked for may have appeared meanwhile.
        failed = Failure(plan: plan, error: failure(first))
        return lookAgain()
    }

    private mutating func lookAgain() -> Step {
        round += 1
        return .look
    }

    // MARK: - Errors

    private var notConverging: BottleError {
        BottleError(
            .notConverging,
            "the bottle was not as desired after \(Self.rounds) rounds",
            at: identity.name,
            remedy: "see what `bottle describe \(identity)` lists as pending, and what changes it from outside"
        )
    }

    private func failure(_ performed: PerformedAction) -> BottleError {
        BottleError(
            .actionFailed,
            "could not \(performed.action.verb.rawValue) \(performed.action.object)",
            at: identity.name,
            remedy: "mend the cause and apply again: a pass goes on from what is there",
            cause: performed.error
        )
    }
}

extension Plan {
    /// Whether it repairs networks that an earlier plan did not know of.
    fileprivate func mendsNetworks(after earlier: Plan) -> Bool {
        actions.contains { action in
            guard case .network = action.object, action.verb == .remove else { return false }
            return !earlier.actions.contains { $0.verb == .remove && $0.networkID == action.networkID }
        }
    }
}

extension [PerformedAction] {
    /// The sidecars that never said what they have loaded since their start.
    fileprivate var silent: Set<Role> {
        Set(
            compactMap { performed in
                guard performed.code == .silent, case .container(let role) = performed.action.object
                else { return nil }
                return role
            }
        )
    }
}
