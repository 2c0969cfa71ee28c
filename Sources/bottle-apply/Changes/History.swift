import ArgumentParser
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform

struct History: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the revisions that changed a bottle: when, who and why.",
        discussion: """
            The newest first, also of a bottle that was deleted. A revision's first digits are enough to name it.

              bottle history dev
              bottle history dev --limit 3 -o json
            """
    )

    @Argument(help: "The bottle.")
    var bottle: String

    @Option(name: .shortAndLong, help: "How many revisions to show at most.")
    var limit = 50

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be positive") }
    }

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let identity = try Identity(bottle)
        let items = try await context.operations.history(of: identity, limit: limit).map(RevisionItem.init)
        try context.show(ListDocument(kind: "RevisionList", items: items)) {
            var table = Table("REVISION", "TIME", "AUTHOR", "WHY")
            for item in items {
                let subject = item.message.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
                let name = VisibleText.line(item.author, limit: 40) + (item.signed ? " (signed)" : "")
                table.rows.append([
                    String(item.revision.prefix(12)), item.time, name, VisibleText.line(subject, limit: 100),
                ])
            }
            return table.text
        }
    }
}

private struct RevisionItem: Encodable {
    var revision: String
    var time: String
    var author: String
    var email: String
    var message: String
    var signed: Bool

    init(_ details: RevisionDetails) {
        revision = details.revision.id
        time = details.time
        author = details.author.name
        email = details.author.email
        message = details.message
        signed = details.isSigned
    }
}
