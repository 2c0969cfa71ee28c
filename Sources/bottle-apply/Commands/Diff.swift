import ArgumentParser
import Reconciler
import ReconcilerModel

struct Diff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what apply would do: exits 0 when nothing, 2 when something.",
        discussion: """
            With -f: from the manifests to what the engine shows. With bottles' names, or nothing: from the desired
            state as it is committed.

              bottle diff -f bottle.yaml
              bottle diff dev -o json
            """
    )

    @Argument(help: "Bottles to look at; default: all that are desired.")
    var bottles: [String] = []

    @OptionGroup var manifests: ManifestArguments
    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let showing = PlanShowing(context: context)
        guard manifests.file.isEmpty else { return try await showing.show(manifests: manifests) }
        let names = try bottles.map { try Identity($0) }
        let snapshot = try await context.snapshot()
        let all = names.isEmpty ? (snapshot?.bottles.keys.sorted() ?? []) : names
        let wanted = try all.map { identity in
            guard let snapshot else { throw StoredManifest.missing(identity) }
            return try StoredManifest.read(snapshot, identity)
        }
        try await showing.show(wanted, deleted: names.isEmpty ? try context.deletedBottles(snapshot) : [])
    }
}

extension CommandContext {
    /// Bottles that are desired no more, though there is still a record of them: a delete was stopped half-way.
    fileprivate func deletedBottles(_ snapshot: DesiredSnapshot?) throws -> [Identity] {
        guard let snapshot, let state = try StateFolder.open(paths.state) else { return [] }
        let records = try JSONStore<BottleRecord>(folder: state.records, noun: "record").loadAll()
        return records.keys.filter { snapshot.bottles[$0] == nil }.sorted()
    }

    /// Everything that is desired; nil when nothing was ever applied.
    func snapshot() async throws -> DesiredSnapshot? {
        guard let state = try StateFolder.open(paths.state) else { return nil }
        return try await DesiredRepository.open(in: state, environment: environment)?.snapshot()
    }
}
