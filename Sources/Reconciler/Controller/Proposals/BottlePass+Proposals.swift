import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerState
import ReconcilerTime

/// What an agent asked for, and what becomes of it (SPEC 4.4).
///
/// The answer follows from the desired state and from what is in force, and from nothing that a killed process could
/// have kept to itself: a remediation that names the proposal approves it, a pass that converged with it applies it.
extension BottlePass {
    private var queue: ProposalQueue { ProposalQueue(identity, in: installation.state) }

    /// Makes the folders that the sidecar works on.
    func prepareQueue(of manifest: BottleManifest) throws {
        if manifest.supervise { try queue.prepare() }
    }

    /// Answers what the pass decided, and says what is in force.
    ///
    /// Precondition: the bottle's lock is ours.
    /// - Throws: `BottleError` `queue-unusable`; nothing is lost then, the next pass answers.
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
            // A sidecar that is not itself any more can ask for ever; what it is told must not fill the disk.
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
        if case .converged = result.outcome { try publish(manifest, revision: result.revision, dockerfile: dockerfile) }
        try queue.sweep(at: moment)
    }

    /// Says what is in force, with the last refusals.
    private func publish(_ manifest: BottleManifest, revision: String, dockerfile: PresentDockerfile?) throws {
        let stored = try? RefusalStore.load(identity, in: installation.state)
        let refusals = (stored?.refusals ?? []).map(SupervisedState.Refusal.init)
        try queue.publish(
            SupervisedState(manifest, revision: revision, dockerfile: dockerfile, refusals: refusals)
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
            revision: result.revision
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
            // What a sidecar refuses or a build can't make will not come right by itself; all else is tried again.
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

    /// How long after its approval a build that the engine's host can't carry out is tried again.
    private static let patienceWithHost: Int64 = 3600

    /// Whether the host could not carry out a build, and the approval is so old that it is given up: an agent could write
    /// a Dockerfile that looks as if.
    private func hasOutlivedPatience(_ known: ProposalAnswer?, _ result: PassResult, at moment: Timestamp) -> Bool {
        guard let known, known.state == .approved,
            result.performed.contains(where: { $0.outcome == .failed && $0.code == .hostTrouble })
        else { return false }
        return moment.seconds - known.time.seconds > Self.patienceWithHost
    }

    /// Takes back by a commit what could not be put in force: failed stays failed.
    ///
    /// Also what an earlier pass, which was killed before it came to this, has said to have failed.
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
    /// Whether it failed in a way that another attempt does not mend: an image that can't be built, files that a sidecar
    /// refuses.
    ///
    /// An engine that did not do what it was asked, or went away meanwhile, has judged nothing.
    fileprivate var isHopeless: Bool {
        guard outcome == .failed, code?.disposition == .hopeless else { return false }
        return action.verb == .build || action.verb == .signal || action.verb == .restart
    }
}
