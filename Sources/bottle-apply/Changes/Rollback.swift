import ArgumentParser
import ReconcilerModel
import ReconcilerOperations

struct Rollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a bottle's desired state what it was at an earlier revision, by a new commit.",
        discussion: """
            Its manifest and its remediations as they were then; nothing of the history is lost. A bottle that was \
            deleted meanwhile comes back, without its old home.

              bottle history dev
              bottle rollback dev 3f2a91c --reason 'the new route was a mistake'
            """
    )

    @Argument(help: "The bottle.")
    var bottle: String

    @Argument(help: "The revision: its first digits, HEAD, or HEAD~N.")
    var revision: String

    @Option(name: .shortAndLong, help: "Why, for the history of the desired state.")
    var reason: String?

    @Flag(name: .shortAndLong, help: "Ask nothing.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let identity = try Identity(bottle)
        let change = try await context.operations.prepare(rollingBack: identity, to: revision, reason: reason)
        try await context.carryOut(change, yes: yes)
    }
}
