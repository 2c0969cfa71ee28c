import ArgumentParser
import ReconcilerManifest
import ReconcilerModel

struct Init: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a manifest to start from.",
        discussion: """
              bottle init > bottle.yaml
              bottle init --name reviewer > reviewer.yaml
            """
    )

    @Option(name: .long, help: "The bottle's name.")
    var name = "dev"

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await common.run { context in
            let text = ManifestStarter.text(name: try Identity(name))
            try context.show(StarterDocument(manifest: text)) { text.trimmingLastNewline }
        }
    }
}

/// `init -o json`.
private struct StarterDocument: Encodable {
    var apiVersion = "bottle/v1"
    var kind = "Starter"
    /// The manifest as YAML.
    var manifest: String
}
