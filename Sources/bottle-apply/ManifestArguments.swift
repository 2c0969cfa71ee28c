import ArgumentParser
import Reconciler
import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform

/// `-f`, and what it names as resolved bottles.
struct ManifestArguments: ParsableArguments {
    @Option(name: .shortAndLong, help: "A manifest, a folder of them, or - for standard input; may be repeated.")
    var file: [String] = []

    /// Reads and checks everything named; prints warnings.
    ///
    /// - Throws: `InvalidManifest` with every finding.
    func read(_ context: CommandContext, defaultingToBottleYAML: Bool = true) throws -> ManifestReading {
        let names = file.isEmpty && defaultingToBottleYAML ? ["bottle.yaml"] : file
        let input = names.contains("-") ? try Console.readInput(limit: YAMLLimits.manifest.bytes + 1) : nil
        let files = ManifestFiles.load(names, standardInput: input, folder: context.workingFolder)
        var reading = ManifestReader.read(files.sources)
        reading.diagnostics = files.diagnostics + reading.diagnostics
        guard !reading.hasErrors else { throw InvalidManifest(diagnostics: reading.diagnostics) }
        return reading
    }

    /// The bottles that can be acted on, standing alone.
    ///
    /// - Parameter contexts: where copies of build contexts are stored; nil stores nothing.
    /// - Throws: `InvalidManifest`; `BottleError` `not-built-yet`.
    func resolved(_ context: CommandContext, contexts: String?) throws -> [BottleManifest] {
        try Self.resolved(try read(context), context, contexts: contexts)
    }

    /// A manifest that was written in an editor.
    ///
    /// - Throws: what `resolved` throws, also when it is of another bottle.
    static func resolved(
        text: String,
        named name: String,
        as identity: Identity,
        _ context: CommandContext
    ) throws -> BottleManifest {
        let reading = ManifestReader.read([ManifestSource(name: name, bytes: Array(text.utf8))], limits: .stored)
        guard !reading.hasErrors else { throw InvalidManifest(diagnostics: reading.diagnostics) }
        let manifests = try resolved(reading, context, contexts: "\(context.paths.state)/contexts")
        guard manifests.count == 1, let manifest = manifests.first, manifest.identity == identity else {
            throw BottleError(.otherBottle, "the manifest must stay that of bottle \(identity) alone", at: name)
        }
        return manifest
    }

    private static func resolved(
        _ reading: ManifestReading,
        _ context: CommandContext,
        contexts: String?
    ) throws -> [BottleManifest] {
        for bottle in reading.bottles {
            let features = unbuiltFeatures(of: bottle.manifest)
            guard features.isEmpty else {
                throw BottleError(
                    .notBuiltYet,
                    "this version of bottle does not act on \(features.joined(separator: ", ")) yet",
                    at: bottle.location.description,
                    remedy: "remove it from the manifest to go on without it"
                )
            }
        }
        guard !reading.bottles.isEmpty else {
            throw BottleError(
                .noBottles,
                "there is no bottle in what was named",
                remedy: "add a document of kind: Bottle"
            )
        }
        let resolver = ManifestResolver(
            home: context.paths.home ?? "/",
            environment: context.environment,
            contextStore: contexts,
            stateFolder: context.paths.state
        )
        var manifests: [BottleManifest] = []
        var diagnostics = reading.diagnostics
        for bottle in reading.bottles {
            let resolution = resolver.resolve(bottle)
            diagnostics += resolution.diagnostics
            if let manifest = resolution.manifest { manifests.append(manifest) }
        }
        guard !diagnostics.contains(where: { $0.severity == .error }) else {
            throw InvalidManifest(diagnostics: diagnostics)
        }
        if !diagnostics.isEmpty {
            context.console.err(DiagnosticPrinter(isColored: context.console.colorsErrors).text(diagnostics))
        }
        return manifests
    }
}
