package import ReconcilerModel
package import ReconcilerTime

/// A remediation before it has a number, an author and a time.
package struct RemediationDraft: Sendable, Hashable {
    package var change: RemediationChange
    package var limits: GrantLimits?
    /// Why; the first line is the commit's subject.
    package var reason: String
    package var proposal: String?
    package var candidate: ContentDigest?

    package init(
        _ change: RemediationChange,
        limits: GrantLimits? = nil,
        reason: String,
        proposal: String? = nil,
        candidate: ContentDigest? = nil
    ) {
        self.change = change
        self.limits = limits
        self.reason = reason
        self.proposal = proposal
        self.candidate = candidate
    }
}

/// What one edit does to the remediations of a bottle, in one commit.
package struct RemediationStep: Sendable, Hashable {
    package var added: [RemediationDraft]
    /// The names of those that are withdrawn.
    package var withdrawn: Set<String>
    /// Why; the first line is the commit's subject.
    package var reason: String

    package init(adding added: [RemediationDraft] = [], withdrawing withdrawn: Set<String> = [], reason: String) {
        self.added = added
        self.withdrawn = withdrawn
        self.reason = reason
    }

    /// What a step makes of one desired state; it needs no author.
    package struct Effect: Sendable, Hashable {
        /// One for each draft.
        package var made: [RemediationTerms]
        package var withdrawn: [Remediation]
        /// Those that have ended, or that the manifest has: they go with the same commit.
        package var spent: [RemediationOutcome]
        package var after: BottleManifest
        /// The highest number ever given.
        package var lastNumber: Int
    }

    /// The effect, and the remediations that the commit writes.
    package struct Outcome: Sendable, Hashable {
        package var effect: Effect
        package var made: [Remediation]
        package var after: RemediedBottle
    }
}

extension DesiredState {
    /// What `step` makes of this state; pure.
    ///
    /// - Parameter last: the highest number that is noted.
    /// - Throws: `BottleError` `not-found` for a remediation that isn't there, `remediation-conflict` when one does not
    ///   fit, `already-desired` when nothing would change, `already-ended`, `invalid-remediation`.
    package func effect(
        of step: RemediationStep,
        at moment: Timestamp,
        after last: Int = 0
    ) throws -> RemediationStep.Effect {
        let identity = declared.identity
        let present = remedied.outcomes
        for name in step.withdrawn.sorted() where !present.contains(where: { $0.remediation.name == name }) {
            throw BottleError(
                .notFound,
                "bottle \(identity) has no remediation '\(name)'",
                remedy: "`bottle remediations \(identity)` lists those there are"
            )
        }
        let highest = max(last, present.map(\.remediation.number).max() ?? 0)
        let made = try step.added.enumerated().map { index, draft in
            try Self.valid(identity) { () throws(InvalidValue) in
                try RemediationTerms(number: highest + index + 1, change: draft.change, limits: draft.limits)
            }
        }
        let kept = present.map(\.remediation).filter { !step.withdrawn.contains($0.name) }
        let after = DesiredRepository.remedied(declared, kept.map(\.terms) + made, at: moment)
        for fit in after.fits.suffix(made.count) {
            switch fit {
            case .conflict(let reason):
                throw BottleError(
                    .remediationConflict,
                    "it does not fit: \(reason)",
                    at: identity.name,
                    remedy: "look at what is desired (`bottle describe \(identity)`), and change that instead"
                )
            case .expired: throw BottleError(.alreadyEnded, "it would end before it begins", at: identity.name)
            case .applied, .redundant: continue
            }
        }
        guard !step.withdrawn.isEmpty || after.manifest != remedied.manifest else {
            throw BottleError(.alreadyDesired, "what it asks for is desired already", at: identity.name)
        }
        return RemediationStep.Effect(
            made: made,
            withdrawn: present.map(\.remediation).filter { step.withdrawn.contains($0.name) },
            spent: zip(kept, after.fits).map { RemediationOutcome(remediation: $0, fit: $1) }.filter(\.isSpent),
            after: after.manifest,
            lastNumber: highest + made.count
        )
    }

    /// The same, with the remediations that `author` commits.
    package func taking(
        _ step: RemediationStep,
        by author: Author,
        at moment: Timestamp,
        after last: Int = 0
    ) throws -> RemediationStep.Outcome {
        let effect = try effect(of: step, at: moment, after: last)
        let made = try zip(effect.made, step.added).map { terms, draft in
            try Self.valid(declared.identity) { () throws(InvalidValue) in
                try Remediation(
                    terms,
                    Remediation.Provenance(
                        author: "\(author.name) <\(author.email)>",
                        time: moment,
                        reason: draft.reason,
                        proposal: draft.proposal,
                        candidate: draft.candidate
                    )
                )
            }
        }
        let kept = remedied.outcomes.map(\.remediation).filter { !step.withdrawn.contains($0.name) }
        return RemediationStep.Outcome(
            effect: effect,
            made: made,
            after: DesiredRepository.remedied(declared, kept + made, at: moment)
        )
    }

    private static func valid<Value>(
        _ identity: Identity,
        _ make: () throws(InvalidValue) -> Value
    ) throws -> Value {
        do {
            return try make()
        } catch {
            throw BottleError(.invalidRemediation, "the remediation is not valid: \(error.rule)", at: identity.name)
        }
    }
}
