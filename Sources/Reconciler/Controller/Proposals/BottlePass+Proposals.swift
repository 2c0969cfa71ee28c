import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerState
import ReconcilerTime

/// Answers to the proposals of a bottle's agent (SPEC 4.4).
///
/// An answer follows only from the desired state and from what is in force, so a killed process loses none. A
/// remediation that names the proposal approves it; a pass that converged with it applies it.
extension BottlePass {
    private var queue: ProposalQueue { ProposalQueue(identity, in: installation.state) }

    /// Creates the folders that the sidecar uses.
    func prepareQueue(of manifest: BottleManifest) throws {
        if manifest.supervise { try queue.prepare() }
    }

    /// Answers the proposals that the pass decided, and publishes what is in force.
    ///
    /// Precondition: the bottle's lock is ours.
    /// - Throws: `BottleError` `queue-unusable`; the next pass answers then.
    func answerProposals(in state: DesiredState, _ result: inout PassResult) async throws {
        let manifest = state.remedied.manifest
        guard manifest.supervise else { return }
        let moment = time.now()
        let dockerfile = try? AgentDockerfile(of: state, contexts: installation.state.contexts).inForce()
        let listing = try queue.listing()
        var answers = try queue.answers()
        for proposal in listing.proposals {
            let known = answers[proposal.id]
            guard known?.state.isFinal != true else { continue }
            // A compromised sidecar can submit without end; cap stored answers so that the disk can't fill.
            guard known != nil || answers.count < ProposalQueue.answerLimit else { continue }
            let own = state.remedied.outcomes.filter { $0.remediation.provenance.proposal == proposal.id.text }
            var answer: ProposalAnswer
            if own.isEmpty {
                let verdict = ProposalCheck.verdict(on: proposal, in: manifest, dockerfile: dockerfile)
                answer = unapproved(proposal, verdict, known, result, at: moment)
                if answer.state == .pending { result.proposed.append(proposal) }
            } else {
                answer = approved(proposal, own, known, result, at: moment)
            }
            answer.edited = known?.edited
            if known?.state != answer.state { try queue.tell(answer) }
            answers[proposal.id] = answer
        }
        try await withdraw(whatFailed: answers, from: state, at: moment)
        if case .converged = result.outcome, let revision = result.revision {
            try publish(manifest, revision: revision, dockerfile: dockerfile)
        }
        try queue.sweep(at: moment)
    }

    /// Publishes what is in force, with the last refusals.
    private func publish(_ manifest: BottleManifest, revision: Revision, dockerfile: PresentDockerfile?) throws {
        let stored = try? RefusalStore.load(identity, in: installation.state)
        let refusals = (stored?.refusals ?? []).map(SupervisedState.Refusal.init)
        try queue.publish(
            SupervisedState(manifest, revision: revision.id, dockerfile: dockerfile, refusals: refusals)
        )
    }

    /// What becomes of a proposal that no remediation answers.
    private func unapproved(
        _ proposal: Proposal,
        _ verdict: ProposalVerdict,
        _ known: ProposalAnswer?,
        _ result: PassResult,
        at moment: Timestamp
    ) -> ProposalAnswer {
        var answer = ProposalAnswer(id: proposal.id, state: known?.state ?? .pending, time: moment)
        switch verdict {
        case .inForce:
            guard case .converged = result.outcome else { return answer }
            answer.state = .applied
            answer.words = "it is in force"
        case .refused(let reasons):
            answer.state = .refused
            answer.words = reasons.joined(separator: "\n")
        case .changes, .dockerfile:
            guard known?.state == .approved else { return answer }
            answer.state = .failed
            answer.words = "the operator took it back before it came into force"
        }
        return answer
    }

    /// What becomes of a proposal that remediations answer.
    private func approved(
        _ proposal: Proposal,
        _ own: [RemediationOutcome],
        _ known: ProposalAnswer?,
        _ result: PassResult,
        at moment: Timestamp
    ) -> ProposalAnswer {
        let words = own.first?.remediation.provenance.reason
        var answer = ProposalAnswer(
            id: proposal.id,
            state: .approved,
            time: moment,
            words: words,
            revision: result.revision?.id
        )
        for outcome in own {
            guard case .conflict(let reason) = outcome.fit else { continue }
            answer.state = .failed
            answer.words = "approved, but it does not fit what is desired: \(reason)"
            return answer
        }
        switch result.outcome {
        case .converged where own.allSatisfy({ $0.fit == .expired }):
            answer.state = .failed
            answer.words = "approved, but the time for which it was ended before it was in force"
        case .converged:
            answer.state = .applied
            if let limits = own.compactMap(\.remediation.limits).first {
                answer.words = [words, "It holds \(limits.text)."].compactMap { $0 }.joined(separator: "\n")
            }
        case .retry(let error), .stalled(let error):
            // Retrying does not help after a sidecar refused or a build failed. Everything else is retried.
            let isHopeless = error.code == .loadRefused || result.performed.contains(where: \.isHopeless)
            guard isHopeless || hasOutlivedPatience(known, result, at: moment) else { break }
            answer.state = .failed
            let cause = error.cause.map { ": \($0)" } ?? ""
            answer.words =
                "approved, but it could not be put in force, and what was before still is: "
                + "\(error.message)\(cause)"
        }
        return answer
    }

    /// How long after its approval a build is retried that the engine's host can't carry out.
    private static let patienceWithHost: Int64 = 3600

    /// Whether the host could not carry out a build, and the approval is so old that we give up: an agent could write a
    /// Dockerfile that imitates such an error.
    private func hasOutlivedPatience(_ known: ProposalAnswer?, _ result: PassResult, at moment: Timestamp) -> Bool {
        guard let known, known.state == .approved,
            result.performed.contains(where: { $0.outcome == .failed && $0.code == .hostTrouble })
        else { return false }
        return moment.seconds - known.time.seconds > Self.patienceWithHost
    }

    /// Withdraws by a commit what could not be put in force, so that failed stays failed.
    ///
    /// That includes failures of an earlier pass that was killed before its commit.
    private func withdraw(
        whatFailed answers: [ProposalID: ProposalAnswer],
        from state: DesiredState,
        at moment: Timestamp
    ) async throws {
        let failed = Set(answers.values.filter { $0.state == .failed }.map(\.id.text))
        @Sendable func hasFailed(_ remediation: Remediation) -> Bool {
            remediation.provenance.proposal.map(failed.contains) ?? false
        }
        let all = state.remedied.outcomes.map(\.remediation)
        let names = all.filter(hasFailed).map(\.name).sorted()
        guard !names.isEmpty else { return }
        let reason = "Withdraw what could not be put in force: \(names.joined(separator: ", "))"
        let author = Author(name: "bottle", email: "bottle@\(HostName.current)")
        let after = DesiredRepository.remedied(state.declared, all.filter { !hasFailed($0) }, at: moment)
        let edit = AuditedEdit(identity, from: state.remedied.manifest, to: after.manifest)
        _ = try await installation.recording(.revoke, of: [edit], reason: reason, now: time.now) {
            try await installation.repository.dropRemediations(
                of: identity,
                reason: reason,
                author: author,
                at: moment
            ) { hasFailed($0.remediation) }?.revision
        }
    }
}

extension PerformedAction {
    /// Whether another attempt can't help: an image that can't be built, or files that a sidecar refuses.
    ///
    /// An engine that failed or went away has judged nothing.
    fileprivate var isHopeless: Bool {
        guard outcome == .failed, code?.disposition == .hopeless else { return false }
        return action.verb == .build || action.verb == .signal || action.verb == .restart
    }
}
