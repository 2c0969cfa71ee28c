import ArgumentParser
import ReconcilerManifest
import ReconcilerModel
import ReconcilerOperations

struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a bottle's manifest with its remediations folded in.",
        discussion: """
            Applied, it desires the same, and the remediations that it holds are dropped. What is granted within \
            limits only is left out, and said so.

              bottle export dev > bottle.yaml
            """
    )

    @Argument(help: "The bottle.")
    var bottle: String

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let identity = try Identity(bottle)
        let export = try await context.operations.export(identity)
        for leftOut in export.leftOut {
            switch leftOut {
            case .conflict(let name, let reason):
                context.console.err("left out, since it does not fit: \(name): \(VisibleText.line(reason, limit: 300))")
            case .limited(let name, let limits):
                context.console.err("left out, since it holds within limits only: \(name): \(limits.text)")
            }
        }
        let text = export.manifest
        try context.show(ExportDocument(bottle: identity.name, manifest: text)) {
            text.trimmingLastNewline
        }
    }
}

/// `export -o json`.
private struct ExportDocument: Encodable {
    var apiVersion = "bottle/v1"
    var kind = "Export"
    var bottle: String
    /// The manifest as YAML.
    var manifest: String
}
