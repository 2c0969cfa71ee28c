import ArgumentParser
import ReconcilerManifest

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
