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

struct SchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of a manifest.",
        discussion: """
              bottle schema > bottle.schema.json
              bottle schema | jq '.["$defs"] | keys'
            """
    )

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await common.run { $0.console.out(ManifestSchema.json.trimmingLastNewline) }
    }
}

extension String {
    /// Without one newline at the end.
    var trimmingLastNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
