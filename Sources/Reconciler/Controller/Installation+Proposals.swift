package import ReconcilerModel

extension Installation {
    /// Every proposal that waits or was decided of late, of all bottles or of some, the oldest first.
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
}

/// An operator's no, and what an operator wrote in place of what was asked for.
package struct ProposalRuling: Sendable {
    private let state: StateFolder
    private let now: @Sendable () -> String

    package init(_ state: StateFolder, now: @escaping @Sendable () -> String) {
        self.state = state
        self.now = now
    }

    /// Says no, on record first.
    ///
    /// - Throws: `BottleError` `already-decided`, `busy`, `queue-unusable`, `audit-unwritable`.
    package func reject(_ proposal: Proposal, words: String) async throws {
        try await end(proposal, as: .rejected, words: words)
    }

    /// Says that what was approved could not be made, on record first; nothing else changed.
    ///
    /// - Throws: as `reject`.
    package func fail(_ proposal: Proposal, words: String) async throws {
        try await end(proposal, as: .failed, words: words)
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
            try queue.tell(ProposalAnswer(id: proposal.id, state: state, time: try Timestamp(now()), words: words))
        }
    }

    /// Notes, before the commit that approves it, what is approved in place of what was asked for.
    ///
    /// - Throws: as `reject`.
    package func note(edited text: String, of proposal: Proposal) async throws {
        try await underLock(proposal) { queue, known in
            var answer = try known ?? ProposalAnswer(id: proposal.id, state: .pending, time: Timestamp(now()))
            answer.edited = text
            try queue.tell(answer)
        }
    }

    private func underLock(
        _ proposal: Proposal,
        _ body: (ProposalQueue, ProposalAnswer?) throws -> Void
    ) async throws {
        do {
            let held = try await state.lock(of: proposal.bottle).acquire(wait: .seconds(60))
            defer { extendLifetime(held) }
            let queue = ProposalQueue(proposal.bottle, in: state)
            let known = try queue.answer(to: proposal.id)
            guard (known?.state ?? .pending) == .pending else { throw BottleError.alreadyDecided(proposal, known) }
            try body(queue, known)
        } catch let timeout as FileLock.TimedOut {
            throw BottleError(
                "busy",
                "a pass has held the bottle's lock for a minute",
                at: proposal.bottle.name,
                remedy: "run the command again",
                cause: "\(timeout)"
            )
        }
        ControlSocket(path: state.controlSocket).poke()
    }
}

extension BottleError {
    /// `already-decided`: a proposal has its answer.
    package static func alreadyDecided(_ proposal: Proposal, _ answer: ProposalAnswer?) -> BottleError {
        BottleError(
            "already-decided",
            "the proposal \(proposal.id) is \(answer?.state.rawValue ?? "answered") already",
            at: proposal.bottle.name,
            remedy: "`bottle proposals` lists those that wait"
        )
    }
}
