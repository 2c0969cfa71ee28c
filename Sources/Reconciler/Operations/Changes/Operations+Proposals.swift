import Reconciler
package import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
package import ReconcilerState
package import ReconcilerTime

extension Operations {
    // MARK: - Reading

    /// Every proposal that waits or was decided of late, of all bottles or of some, the oldest first.
    package func proposals(of bottles: Set<Identity>? = nil) async throws -> [ProposalReview] {
        guard let state = try state(), let snapshot = try await snapshot() else { return [] }
        return try Self.reviews(in: state, snapshot, of: bottles, at: Self.moment())
    }

    /// The proposal whose id begins with `text`.
    ///
    /// - Throws: `BottleError` `no-proposal`, also for a beginning that several have.
    package func proposal(_ text: String) async throws -> ProposalReview {
        let found = try await proposals().filter { text.utf8.count >= 4 && $0.proposal.id.text.hasPrefix(text) }
        guard found.count == 1 else {
            throw BottleError(
                .noProposal,
                "'\(VisibleText.ascii(text, limit: 40))' names "
                    + (found.isEmpty ? "no proposal" : "\(found.count) proposals"),
                remedy: "`bottle proposals` lists them; give four digits at least, or more"
            )
        }
        return found[0]
    }

    /// Every proposal in a state folder that waits or was decided of late, the oldest first.
    ///
    /// - Throws: `BottleError` `queue-unusable`, `desired-unreadable`, `remediation-unreadable`.
    package static func reviews(
        in state: StateFolder,
        _ snapshot: DesiredSnapshot,
        of bottles: Set<Identity>? = nil,
        at moment: Timestamp
    ) throws -> [ProposalReview] {
        var reviews: [ProposalReview] = []
        for bottle in snapshot.bottles.keys.sorted() where bottles?.contains(bottle) ?? true {
            guard try POSIX.status(state.queue(of: bottle), followLinks: false) != nil,
                let desired = try snapshot.desired(of: bottle, at: moment)
            else { continue }
            let queue = ProposalQueue(bottle, in: state)
            let answers = try queue.answers()
            let dockerfile = try? AgentDockerfile(of: desired, contexts: state.contexts).inForce()
            reviews += try queue.listing().proposals.map {
                ProposalReview($0, answers[$0.id], in: desired, dockerfile: dockerfile, at: moment)
            }
        }
        return reviews.sorted { ($0.proposal.time, $0.proposal.id) < ($1.proposal.time, $1.proposal.id) }
    }

    /// The same, which must still wait for a decision.
    ///
    /// - Throws: `BottleError` `already-decided` too.
    private func waiting(_ text: String) async throws -> ProposalReview {
        let review = try await proposal(text)
        guard review.state == .pending else { throw BottleError.alreadyDecided(review.proposal, review.state) }
        return review
    }

    // MARK: - Rejecting

    /// Prepares to say no to a proposal.
    ///
    /// - Parameter words: what the agent is told.
    /// - Throws: as `proposal`, and `BottleError` `already-decided`.
    package func prepare(
        rejecting id: String,
        words: String
    ) async throws -> (change: PreparedChange, review: ProposalReview) {
        let review = try await waiting(id)
        let proposal = review.proposal
        guard let state = try state(), let repository = try repository() else {
            throw BottleError.missing(proposal.bottle)
        }
        let change = PreparedChange(
            .rejection,
            of: [proposal.bottle],
            commit: {
                try await ProposalDecision(state, repository, now: Self.moment).reject(proposal, words: words)
                return nil
            },
            converge: { _, _ in [] }
        )
        return (change, review)
    }

    // MARK: - Approving

    /// A proposal that waits, for an approval.
    ///
    /// - Parameter candidate: the candidate's hash that it must still have; nil: any.
    /// - Throws: as `proposal`, and `BottleError` `already-decided`, `candidate-changed`.
    package func pendingProposal(_ id: String, candidate: String? = nil) async throws -> PendingProposal {
        let found = try await waiting(id)
        let base = try await base(of: found.proposal.bottle)
        let desired = try base.desired()
        guard let folder = try state() else { throw BottleError.missing(base.identity) }
        let dockerfile = try? AgentDockerfile(of: desired, contexts: folder.contexts).inForce()
        let pending = PendingProposal(
            base: base,
            dockerfile: dockerfile,
            review: ProposalReview(found.proposal, found.answer, in: desired, dockerfile: dockerfile, at: base.moment)
        )
        if let candidate, candidate != pending.review.candidate.hex {
            throw BottleError(
                .candidateChanged,
                "the proposal comes to something else by now",
                at: base.identity.name,
                remedy: "look again: bottle proposals show \(found.proposal.id.text.prefix(12))"
            )
        }
        return pending
    }

    /// Prepares to let an agent have what it asks for; an image is built here, before anything else changes.
    ///
    /// A build that fails is the answer to the agent, too.
    /// - Parameters:
    ///   - reason: what the agent is told, and what goes into the history; nil: one that names the proposal.
    ///   - output: gets the lines of a build, after nil, which says that it begins.
    /// - Throws: `BottleError` `not-approvable`, `already-desired`, `invalid-limits`, `build-failed`,
    ///   `dockerfile-refused`.
    package func prepare(
        approving approval: PendingProposal.Approval,
        reason: String?,
        output: @escaping @Sendable (String?) -> Void
    ) async throws -> PreparedChange {
        let (base, review) = (approval.base, approval.review)
        let proposal = review.proposal
        let reason = reason ?? "approve \(proposal.id.text.prefix(12)) of \(proposal.bottle)"
        var drafts = review.drafts(limits: approval.limits, reason: reason)
        if drafts.isEmpty {
            guard case .dockerfile(let text) = review.verdict else {
                throw BottleError(
                    .alreadyDesired,
                    "what it asks for is in force already",
                    at: proposal.bottle.name,
                    remedy: "the next pass tells the agent"
                )
            }
            drafts = [
                RemediationDraft(
                    .dockerfileReplaced(try await build(text, approval, output).replacement),
                    reason: reason,
                    proposal: proposal.id.text,
                    candidate: review.candidate
                )
            ]
        }
        return try await prepare(
            .approval,
            RemediationStep(adding: drafts, reason: reason),
            on: base,
            telling: "\(proposal.id): \(reason)",
            candidate: review.candidate
        ) { installation, commit in
            try await ProposalDecision(installation.state, installation.repository, now: Self.moment)
                .approve(proposal, edited: approval.edited, commit)
        }
    }

    private func build(
        _ dockerfile: String,
        _ approval: PendingProposal.Approval,
        _ output: @escaping @Sendable (String?) -> Void
    ) async throws -> CapabilityBuild.Built {
        let proposal = approval.review.proposal
        guard approval.limits == nil else {
            throw BottleError(
                .invalidLimits,
                "a Dockerfile can't be limited: the agent would be replaced when it ends",
                at: proposal.bottle.name
            )
        }
        let installation = try await installation()
        output(nil)
        do {
            return try await CapabilityBuild(installation) { output($0) }
                .build(dockerfile: dockerfile, for: proposal.bottle, state: try approval.base.desired())
        } catch let error as BottleError where [.buildFailed, .dockerfileRefused].contains(error.code) {
            try await ProposalDecision(installation.state, installation.repository, now: Self.moment)
                .fail(proposal, words: [error.message, error.cause].compactMap { $0 }.joined(separator: "\n"))
            throw error
        }
    }
}

/// A proposal that waits, beside what is desired of its bottle.
package struct PendingProposal: Sendable {
    fileprivate let base: DesiredBase
    fileprivate let dockerfile: PresentDockerfile?
    package let review: ProposalReview

    /// The proposal with another argument, as an operator edited it.
    ///
    /// - Throws: `BottleError` `not-approvable`.
    package func edited(_ argument: String) throws -> ProposalReview {
        let proposal = review.proposal
        let changed: Proposal
        do {
            changed = try Proposal(
                id: proposal.id,
                bottle: proposal.bottle,
                tool: proposal.tool,
                argument: argument,
                justification: proposal.justification,
                time: proposal.time
            )
        } catch {
            throw BottleError(.notApprovable, error.reasons.joined(separator: "; "))
        }
        let found = ProposalReview(
            changed,
            review.answer,
            in: try base.desired(),
            dockerfile: dockerfile,
            at: base.moment
        )
        if case .refused(let reasons) = found.verdict {
            throw BottleError(.notApprovable, reasons.joined(separator: "; "))
        }
        return found
    }

    /// What is approved, and for how long.
    package struct Approval: Sendable {
        fileprivate let base: DesiredBase
        package let review: ProposalReview
        /// What is approved in place of what was asked for; nil: exactly that.
        fileprivate let edited: String?
        fileprivate let limits: GrantLimits?
    }

    /// An approval of the proposal.
    ///
    /// - Parameter edited: the proposal as the operator wants it; nil: as it is.
    /// - Throws: `BottleError` `not-approvable`, `invalid-limits`.
    package func approval(of edited: ProposalReview?, within limits: LimitRequest) throws -> Approval {
        let chosen = edited ?? review
        if case .refused(let reasons) = chosen.verdict {
            throw BottleError(
                .notApprovable,
                "it does not fit what is desired now: \(reasons.joined(separator: "; "))",
                at: chosen.proposal.bottle.name,
                remedy: "reject it with the reason, approve it with --edit, or change the manifest"
            )
        }
        return Approval(
            base: base,
            review: chosen,
            edited: edited?.proposal.argument,
            limits: try limits.limits(from: base.moment)
        )
    }
}
