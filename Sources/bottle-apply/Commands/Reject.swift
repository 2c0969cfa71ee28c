import ArgumentParser
import Reconciler
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerState

struct Reject: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Don't let an agent have what it asks for, and tell it why.",
        discussion: """
              bottle reject 3f2a91c0 --reason 'use the mirror docs.example.org instead'
            """
    )

    @Argument(help: "The proposal: the first digits of its id.")
    var id: String

    @Option(name: .shortAndLong, help: "What the agent is told.")
    var reason: String

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if reason.allSatisfy(\.isWhitespace) { throw ValidationError("--reason says nothing") }
    }

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let review = try await ProposalFinder(context: context).waiting(id)
        guard let state = try StateFolder.open(context.paths.state),
            let repository = try DesiredRepository.open(in: state, environment: context.environment)
        else { throw BottleError.missing(review.proposal.bottle) }
        try await ProposalDecision(state, repository, now: CommandContext.now).reject(review.proposal, words: reason)
        var item = ProposalItem(review)
        item.state = ProposalAnswer.State.rejected.rawValue
        item.words = reason
        let shown = item
        try context.show(shown) { "\(shown.bottle): rejected \(shown.id)" }
    }
}
