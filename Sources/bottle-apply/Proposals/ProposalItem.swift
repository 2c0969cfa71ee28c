import ReconcilerModel
import ReconcilerOperations
import ReconcilerProposals
import ReconcilerTime

/// A proposal as `proposals -o json` has it; what an agent wrote is escaped where it is shown.
struct ProposalItem: Encodable {
    var id: String
    var bottle: String
    var tool: String
    var candidateHash: String
    var state: String
    var at: String
    var justification: String
    /// What approving it commits, a line each.
    var changes: [String]
    /// The whole Dockerfile that is asked for.
    var dockerfile: String?
    var authority: [AuthorityChange]
    /// Why it can't be approved as it is.
    var problems: [String]
    /// The operator's words, or why it failed.
    var words: String?

    init(_ review: ProposalReview) {
        id = review.proposal.id.text
        bottle = review.proposal.bottle.name
        tool = review.proposal.tool.rawValue
        candidateHash = review.candidate.hex
        state = review.state.rawValue
        at = review.proposal.time.description
        justification = review.proposal.justification
        words = review.answer?.words
        changes = []
        problems = []
        authority = review.authority
        switch review.verdict {
        case .changes(let list): changes = list.map(\.text)
        case .dockerfile(let text):
            changes = ["replace the agent's Dockerfile"]
            dockerfile = text
        case .inForce: break
        case .refused(let reasons): problems = reasons
        }
    }
}
