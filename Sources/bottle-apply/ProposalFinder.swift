import Reconciler
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerState

/// Finds proposals by the beginning of their ids.
struct ProposalFinder {
    let context: CommandContext

    /// All that wait or were decided of late, the oldest first.
    func all(of bottles: Set<Identity>? = nil) async throws -> [ProposalReview] {
        guard let state = try StateFolder.open(context.paths.state), let snapshot = try await context.snapshot() else {
            return []
        }
        return try Installation.reviews(
            in: state,
            snapshot,
            of: bottles,
            at: CommandContext.now()
        )
    }

    /// The one whose id begins with `text`.
    ///
    /// - Throws: `BottleError` `no-proposal`, also for a beginning that several have.
    func one(_ text: String) async throws -> ProposalReview {
        let found = try await all().filter { text.utf8.count >= 4 && $0.proposal.id.text.hasPrefix(text) }
        guard found.count == 1 else {
            throw BottleError(
                .noProposal,
                "'\(VisibleText.line(text, limit: 40))' names "
                    + (found.isEmpty ? "no proposal" : "\(found.count) proposals"),
                remedy: "`bottle proposals` lists them; give four digits at least, or more"
            )
        }
        return found[0]
    }

    /// The same, which must still wait for a decision.
    ///
    /// - Throws: `BottleError` `already-decided` too.
    func waiting(_ text: String) async throws -> ProposalReview {
        let review = try await one(text)
        guard review.state == .pending else { throw BottleError.alreadyDecided(review.proposal, review.state) }
        return review
    }
}
