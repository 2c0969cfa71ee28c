import ArgumentParser
import ReconcilerModel
import ReconcilerOperations

struct Remediations: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List what was approved and granted for a bottle beside its manifest.",
        discussion: """
              bottle remediations dev
              bottle remediations dev -o json
            """
    )

    @Argument(help: "The bottle.")
    var bottle: String

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let identity = try Identity(bottle)
        let items = try await context.operations.remediations(of: identity).map { RemediationItem($0) }
        let style = Style(isOn: context.console.colorsOutput)
        try context.show(ListDocument(kind: "RemediationList", bottle: identity.name, items: items)) {
            items.isEmpty
                ? "no remediations: the manifest is all that is desired"
                : items.flatMap { $0.text(style: style) }.joined(separator: "\n")
        }
    }
}
