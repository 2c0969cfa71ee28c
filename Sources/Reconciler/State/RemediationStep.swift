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

    /// What a step makes of one desired state.
    package struct Outcome: Sendable, Hashable {
        package var made: [Remediation]
        package var withdrawn: [RemediationOutcome]
        /// Those that have ended, or that the manifest has: they go with the same commit.
        package var spent: [RemediationOutcome]
        package var after: RemediedBottle
        /// The highest number ever given.
        package var lastNumber: Int
    }
}

extension DesiredState {
    /// What `step` makes of this state; pure.
    ///
    /// - Parameter last: the highest number that is noted.
    /// - Throws: `BottleError` `not-found` for a remediation that isn't there, `remediation-conflict` when one does not
    ///   fit, `already-desired` when nothing would change, `already-ended`, `invalid-remediation`.
    package func taking(
        _ step: RemediationStep,
        by author: Author,
        at moment: Timestamp,
        after last: Int = 0
    ) throws -> RemediationStep.Outcome {
        let identity = declared.identity
        let present = remedied.outcomes
        for name in step.withdrawn.sorted() where !present.contains(where: { $0.remediation.name == name }) {
            throw BottleError(
                .notFound,
                "bottle \(identity) has no remediation '\(name)'",
                remedy: "`bottle remediations \(identity)` lists those there are"
            )
        }
        var number = max(last, present.map(\.remediation.number).max() ?? 0)
        var made: [Remediation] = []
        for draft in step.added {
            number += 1
            made.append(try draft.remediation(number: number, by: author, at: moment, of: identity))
        }
        let kept = present.map(\.remediation).filter { !step.withdrawn.contains($0.name) }
        let after = DesiredRepository.remedied(declared, kept + made, at: moment)
        let names = Set(made.map(\.name))
        for outcome in after.outcomes where names.contains(outcome.remediation.name) {
            switch outcome.fit {
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
        return RemediationStep.Outcome(
            made: made,
            withdrawn: present.filter { step.withdrawn.contains($0.remediation.name) },
            spent: after.spent.filter { !names.contains($0.remediation.name) },
            after: after,
            lastNumber: number
        )
    }
}

extension RemediationDraft {
    fileprivate func remediation(
        number: Int,
        by author: Author,
        at moment: Timestamp,
        of identity: Identity
    ) throws -> Remediation {
        do {
            return try Remediation(
                number: number,
                slug: change.slug,
                change: change,
                provenance: Remediation.Provenance(
                    author: "\(author.name) <\(author.email)>",
                    time: moment,
                    reason: reason,
                    proposal: proposal,
                    candidate: candidate
                ),
                limits: limits
            )
        } catch {
            throw BottleError(.invalidRemediation, "the remediation is not valid: \(error.rule)", at: identity.name)
        }
    }
}
