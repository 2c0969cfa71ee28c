import ArgumentParser
import Reconciler
import ReconcilerManifest
import ReconcilerModel
import ReconcilerState

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
        let state = try await context.desired(of: identity)
        for outcome in state.remedied.outcomes {
            let name = outcome.remediation.name
            if case .conflict(let reason) = outcome.fit {
                context.console.err("left out, since it does not fit: \(name): \(VisibleText.line(reason, limit: 300))")
            } else if let limits = outcome.remediation.limits, outcome.fit == .applied {
                context.console.err("left out, since it holds within limits only: \(name): \(limits.text)")
            }
        }
        let text = ManifestDocument.yaml(of: state.remedied.manifest)
        try context.show(ExportDocument(bottle: identity.name, manifest: text)) {
            text.hasSuffix("\n") ? String(text.dropLast()) : text
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
