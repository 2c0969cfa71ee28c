import ArgumentParser
import ReconcilerManifest
import ReconcilerModel

struct Validate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check manifests, all errors at once, touching nothing.",
        discussion: """
              bottle validate -f bottle.yaml
              cat agent.md | bottle validate -f -
            """
    )

    @OptionGroup var manifests: ManifestArguments
    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let reading = try manifests.read(context)
        context.show(reading.diagnostics)
        let names = reading.bottles.map(\.manifest.identity.name).sorted()
        try context.show(ValidationDocument(bottles: names, warnings: reading.diagnostics.map(\.message))) {
            "valid: \(names.count == 1 ? "1 bottle" : "\(names.count) bottles")"
                + (names.isEmpty ? "" : " (\(names.joined(separator: ", ")))")
        }
    }
}

private struct ValidationDocument: Encodable {
    var apiVersion = "bottle/v1"
    var kind = "Validation"
    var bottles: [String]
    var warnings: [String]
}
