import ArgumentParser
import FoundationEssentials
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform

struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what was done, when, why and by whom; prove that the record is whole.",
        discussion: """
            Every edit of the desired state, every action with its outcome and every drift that was mended is one line \
            of a log in which each line names the one before by its hash.

              bottle audit dev --kind heal --since 1d
              bottle audit verify
              bottle audit checkpoint --key ~/.ssh/id_ed25519
            """,
        subcommands: [AuditShow.self, AuditVerify.self, AuditCheckpointCommand.self],
        defaultSubcommand: AuditShow.self
    )
}

struct AuditShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "List what is on record.",
        discussion: """
              bottle audit
              bottle audit show dev --kind action --kind heal --follow -o json
            """
    )

    @Argument(help: "Only what is about this bottle.")
    var bottle: String?

    @Option(name: .long, help: "Only this kind of line, such as apply, action or heal; may be given again.")
    var kind: [AuditKind] = []

    @Option(name: .long, help: "Only what was recorded within this time, such as 10m or 7d.")
    var since: TimeSpan?

    @Flag(name: .shortAndLong, help: "Stay, and show what comes.")
    var follow = false

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let identity = try bottle.map { try Identity($0) }
        var trail = context.operations.audit(of: identity, kinds: kind, within: since?.duration)
        let found = try trail.more()
        guard follow else {
            if context.format.isDocument {
                context.console.out(try context.format.text(of: ListDocument(kind: "AuditLog", items: found)))
            } else {
                context.console.out(found.isEmpty ? "nothing on record" : AuditView.header)
                for line in found { context.console.out(AuditView.row(line)) }
            }
            if trail.unreadable > 0 {
                context.console.err("\(trail.unreadable) lines were not written so: see `bottle audit verify`")
            }
            return
        }
        if !context.format.isDocument { context.console.out(AuditView.header) }
        try found.forEach { try show($0, context) }
        while true {
            try await Task.sleep(for: .milliseconds(250))
            try trail.more().forEach { try show($0, context) }
        }
    }

    private func show(_ line: AuditLine, _ context: CommandContext) throws {
        let text = context.format.isDocument ? try OutputFormat.line(of: line) : AuditView.row(line)
        context.console.out(text)
    }
}

extension AuditKind: ExpressibleByArgument {}
