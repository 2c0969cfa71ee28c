import Reconciler
package import ReconcilerModel
import ReconcilerPlatform
package import ReconcilerProposals
package import ReconcilerState
package import ReconcilerTime

/// An operator's decisions on proposals: one decision each.
///
/// The bottle's lock is held meanwhile, so that no pass answers and no other operator decides in between.
package struct ProposalDecision: Sendable {
    private let state: StateFolder
    private let repository: DesiredRepository
    private let now: @Sendable () -> Timestamp

    package init(_ state: StateFolder, _ repository: DesiredRepository, now: @escaping @Sendable () -> Timestamp) {
        self.state = state
        self.repository = repository
        self.now = now
    }

    /// Says no, on record first.
    ///
    /// - Throws: `BottleError` `already-decided`, also where the commit that approves it is made and no pass has come
    ///   yet; `busy`, `queue-unusable`, `audit-unwritable`, and what reading the desired state throws.
    package func reject(_ proposal: Proposal, words: String) async throws {
        try await end(proposal, as: .rejected, words: words)
    }

    /// Says that what was approved could not be made, on record first; nothing else changed.
    ///
    /// - Throws: as `reject`.
    package func fail(_ proposal: Proposal, words: String) async throws {
        try await end(proposal, as: .failed, words: words)
    }

    /// Says yes by `commit`, which commits the remediations that name the proposal; a pass puts them in force.
    ///
    /// If the process dies here the proposal waits as before, or is approved.
    /// - Parameter edited: what is approved in place of what was asked for; nil: exactly that.
    /// - Throws: as `reject`, and what `commit` throws.
    package func approve<Result>(
        _ proposal: Proposal,
        edited: String?,
        _ commit: () async throws -> Result
    ) async throws -> Result {
        try await underLock(proposal) { queue, known in
            var answer = known ?? ProposalAnswer(id: proposal.id, state: .pending, time: now())
            answer.edited = edited
            // Before the commit, since a pass may answer right after it. An approval that came to nothing left its own.
            if answer.edited != known?.edited { try queue.tell(answer) }
            return try await commit()
        }
    }

    private func end(_ proposal: Proposal, as state: ProposalAnswer.State, words: String) async throws {
        try await underLock(proposal) { queue, _ in
            var details = AuditDetails()
            details.reason = AuditText.bounded("\(proposal.id): \(words)", 1000)
            details.outcome = state == .failed ? "failed" : "done"
            try AuditLog(self.state).append(
                [AuditEntry(state == .failed ? .approval : .rejection, bottle: proposal.bottle, details: details)],
                at: now()
            )
            try queue.tell(ProposalAnswer(id: proposal.id, state: state, time: now(), words: words))
        }
        ControlSocket(path: self.state.controlSocket).poke()
    }

    private func underLock<Result>(
        _ proposal: Proposal,
        _ body: (ProposalQueue, ProposalAnswer?) async throws -> Result
    ) async throws -> Result {
        let held: FileLock.Held
        do {
            held = try await state.lock(of: proposal.bottle).acquire(wait: .seconds(60))
        } catch let timeout as FileLock.TimedOut {
            throw BottleError(
                .busy,
                "a pass has held the bottle's lock for a minute",
                at: proposal.bottle.name,
                remedy: "run the command again",
                cause: "\(timeout)"
            )
        }
        defer { extendLifetime(held) }
        let queue = ProposalQueue(proposal.bottle, in: state)
        let known = try queue.answer(to: proposal.id)
        let desired = try await repository.desired(of: proposal.bottle, at: now())?.state
        let present = ProposalAnswer.State(of: proposal.id, answered: known, in: desired)
        guard present == .pending else { throw BottleError.alreadyDecided(proposal, present) }
        return try await body(queue, known)
    }
}

extension ProposalAnswer.State {
    /// Where a proposal stands: as it was answered, or approved by a commit that no pass has answered yet.
    init(of id: ProposalID, answered answer: ProposalAnswer?, in state: DesiredState?) {
        let isCommitted = state?.remedied.outcomes.contains { $0.remediation.provenance.proposal == id.text } ?? false
        let known = answer?.state ?? .pending
        self = known == .pending && isCommitted ? .approved : known
    }
}

extension BottleError {
    /// `already-decided`: a proposal has its answer, or the commit that approves it is made.
    package static func alreadyDecided(_ proposal: Proposal, _ state: ProposalAnswer.State) -> BottleError {
        BottleError(
            .alreadyDecided,
            "the proposal \(proposal.id) is \(state.rawValue) already",
            at: proposal.bottle.name,
            remedy: state == .approved
                ? "the next pass puts it in force and tells the agent; `bottle revoke` takes it back"
                : "`bottle proposals` lists those that wait"
        )
    }
}
