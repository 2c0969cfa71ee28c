import ArgumentParser
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform
import ReconcilerProposals

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
        let (change, review) = try await context.operations.prepare(rejecting: id, words: reason)
        _ = try await change.commit()
        var item = ProposalItem(review)
        item.state = ProposalAnswer.State.rejected.rawValue
        item.words = reason
        let shown = item
        try context.show(shown) { "\(shown.bottle): rejected \(shown.id)" }
    }
}
