import ArgumentParser
import ReconcilerOperations

struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Show the version of bottle and, where one answers, of the engine.",
        discussion: """
              bottle version
              bottle version -o json
            """
    )

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await common.run { context in
            let engine = await context.operations.engineVersion()
            let document = VersionDocument(bottle: Version.text, engine: engine?.version, engineAPI: engine?.api)
            try context.show(document) {
                "bottle \(document.bottle)\nengine \(document.engine ?? "none answers")"
                    + (document.engineAPI.map { " (API \($0))" } ?? "")
            }
        }
    }
}

private struct VersionDocument: Encodable {
    var apiVersion = "bottle/v1"
    var kind = "Version"
    var bottle: String
    var engine: String?
    var engineAPI: String?
}
