import ArgumentParser
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform

struct AuditCheckpointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Sign the record as it is now with an ssh key.",
        discussion: """
            The signature goes beside the log and into it, and is printed with -o json: keep copies where no one who \
            can write to the state folder can write.

              bottle audit checkpoint
              bottle audit checkpoint --key ~/.ssh/id_ed25519 -o json > checkpoint.json
            """
    )

    @Option(name: .long, help: "The ssh key: private, or public with an agent; default: git's user.signingKey.")
    var key: String?

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let checkpoint = try await context.operations.signAudit(key: key)
        try context.show(checkpoint) { "signed the record up to line \(checkpoint.sequence), \(checkpoint.hash)" }
    }
}
