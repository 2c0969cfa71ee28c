import ArgumentParser
import ReconcilerManifest
import ReconcilerModel
import ReconcilerOperations

/// `-f`, and what it names as resolved bottles.
struct ManifestArguments: ParsableArguments {
    @Option(name: .shortAndLong, help: "A manifest, a folder of them, or - for standard input; may be repeated.")
    var file: [String] = []

    /// What was named, for messages.
    var names: String { file.isEmpty ? "bottle.yaml" : file.joined(separator: " ") }

    /// Reads and checks everything named; prints warnings.
    ///
    /// - Throws: `InvalidManifest` with every finding.
    func read(_ context: CommandContext) throws -> ManifestReading {
        let names = file.isEmpty ? ["bottle.yaml"] : file
        let input = names.contains("-") ? try Console.readInput(limit: YAMLLimits.manifest.bytes + 1) : nil
        let files = ManifestFiles.load(names, standardInput: input, folder: context.workingFolder)
        var reading = ManifestReader.read(files.sources)
        reading.diagnostics = files.diagnostics + reading.diagnostics
        guard !reading.hasErrors else { throw InvalidManifest(diagnostics: reading.diagnostics) }
        return reading
    }

    /// The bottles that can be acted on, standing alone; prints warnings.
    ///
    /// - Throws: as `read` and `Operations.resolve`.
    func resolved(_ context: CommandContext, keepsContexts: Bool) throws -> [BottleManifest] {
        let (manifests, warnings) = try context.operations.resolve(read(context), keepsContexts: keepsContexts)
        context.show(warnings)
        return manifests
    }
}
