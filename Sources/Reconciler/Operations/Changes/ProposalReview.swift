import ReconcilerManifest
package import ReconcilerModel
package import ReconcilerProposals
package import ReconcilerState
package import ReconcilerTime

/// A proposal as an operator judges it: beside what is desired at one moment.
package struct ProposalReview: Sendable, Hashable {
    package let proposal: Proposal
    /// What became of it; nil: nothing yet.
    package let answer: ProposalAnswer?
    /// Where it stands: as it was answered, or approved by a commit that no pass has answered yet.
    package let state: ProposalAnswer.State
    /// What it comes to now.
    package let verdict: ProposalVerdict
    /// What is desired, with what the proposal asks for; the same as now where it asks for an image, whose content is
    /// not known before it is built.
    package private(set) var after: BottleManifest
    package let before: BottleManifest
    /// The agent's Dockerfile that is in force; nil where it can't be read.
    package let dockerfile: PresentDockerfile?
    /// What exactly would be approved: another hash as soon as the proposal comes to something else.
    package let candidate: ContentDigest

    package init(
        _ proposal: Proposal,
        _ answer: ProposalAnswer?,
        in state: DesiredState,
        dockerfile: PresentDockerfile?,
        at moment: Timestamp
    ) {
        self.proposal = proposal
        self.answer = answer
        self.state = ProposalAnswer.State(of: proposal.id, answered: answer, in: state)
        self.dockerfile = dockerfile
        before = state.remedied.manifest
        verdict = ProposalCheck.verdict(on: proposal, in: before, dockerfile: dockerfile)
        candidate = Self.candidate(proposal, verdict, in: state)
        after = before
        let step = RemediationStep(adding: drafts(limits: nil, reason: "-"), reason: "-")
        guard !step.added.isEmpty,
            let effect = try? state.effect(of: step, at: moment)
        else { return }
        after = effect.after
    }

    /// What approving it gives the bottle, and takes from it.
    package var authority: [AuthorityChange] { Authority.changes(from: before, to: after) }

    /// The remediations that approve it; none where there is nothing to approve.
    package func drafts(limits: GrantLimits?, reason: String) -> [RemediationDraft] {
        guard case .changes(let changes) = verdict else { return [] }
        return changes.map { change in
            RemediationDraft(
                change,
                limits: limits,
                reason: reason,
                proposal: proposal.id.text,
                candidate: candidate
            )
        }
    }

    private static func candidate(
        _ proposal: Proposal,
        _ verdict: ProposalVerdict,
        in state: DesiredState
    ) -> ContentDigest {
        var lines = ["candidate 2", proposal.bottle.name, proposal.tool.rawValue]
        switch verdict {
        case .changes(let changes): lines += changes.map(RemediationDocument.yaml)
        case .dockerfile(let text): lines += [state.remedied.manifest.agent.image.origin, text]
        case .inForce: lines.append("in force")
        case .refused(let reasons): lines += ["refused"] + reasons
        }
        return ContentDigest(of: lines.joined(separator: "\n"))
    }
}
