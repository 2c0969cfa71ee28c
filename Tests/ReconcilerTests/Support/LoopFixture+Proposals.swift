import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerModel
import ReconcilerOperations
import ReconcilerProposals
import ReconcilerState
import ReconcilerTime

/// An agent that asks, and an operator who approves.
extension LoopFixture {
    /// The sample manifest's bottle with its supervise sidecar.
    static let supervised = SampleManifest.edited { $0.supervise = true }

    func queue() throws -> ProposalQueue { ProposalQueue(SampleManifest.identity, in: try StateFolder.create(state)) }

    /// Puts a proposal into the queue as the sidecar does.
    func ask(_ argument: String, tool: ProposalTool = .firewallBlock) throws -> Proposal {
        let content = try ProposalContent(tool, argument)
        let question = ProposalID.question(SampleManifest.identity, tool, content.canonical)
        let proposal = try Proposal(
            id: ProposalID(question: question, at: Self.now),
            bottle: SampleManifest.identity,
            tool: tool,
            argument: argument,
            justification: "because",
            time: Self.now
        )
        try SidecarQueue(folder: try queue().folder).submit(proposal)
        return proposal
    }

    /// Commits what approves a proposal, as `approve` does.
    func approve(_ proposal: Proposal, limits: GrantLimits? = nil, at moment: Timestamp = LoopFixture.now) async throws
    {
        let installation = try await installation()
        guard let desired = try await installation.repository.desired(of: SampleManifest.identity, at: moment) else {
            throw BottleError.missing(SampleManifest.identity)
        }
        let review = ProposalReview(proposal, nil, in: desired.state, dockerfile: nil, at: moment)
        let step = RemediationStep(adding: review.drafts(limits: limits, reason: "go on"), reason: "go on")
        _ = try await installation.repository.commit(step, for: SampleManifest.identity, at: moment)
    }

    func answer(to proposal: Proposal) throws -> ProposalAnswer? { try queue().answer(to: proposal.id) }
}
