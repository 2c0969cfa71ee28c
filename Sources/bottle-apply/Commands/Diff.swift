import ArgumentParser
import Reconciler
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState

struct Diff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what apply would do: exits 0 when nothing, 2 when something.",
        discussion: """
            With -f: from the manifests to what the engine shows. With bottles' names, or nothing: from the desired \
            state as it is committed. With a bottle and a revision, or two: how its desired state differs between \
            them, or from what it is now; `bottle history` lists revisions.

              bottle diff -f bottle.yaml
              bottle diff dev -o json
              bottle diff dev 3f2a91c0
              bottle diff dev HEAD~2..HEAD
            """
    )

    @Argument(help: "Bottles to look at, default: all that are desired; or one bottle and REV or REV..REV.")
    var bottles: [String] = []

    @OptionGroup var manifests: ManifestArguments
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if !manifests.file.isEmpty, !bottles.isEmpty {
            throw ValidationError("-f says what to look at: name no bottle beside it")
        }
    }

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let showing = PlanView(context: context)
        guard manifests.file.isEmpty else { return try await showing.show(manifests: manifests) }
        let snapshot = try await context.snapshot()
        if bottles.count == 2, RevisionDiff.isRange(bottles[1]),
            !(snapshot?.bottles.keys.contains { $0.name == bottles[1] } ?? false)
        {
            let showing = RevisionDiff(context: context, identity: try Identity(bottles[0]), range: bottles[1])
            return try await showing.show()
        }
        let names = try bottles.map { try Identity($0) }
        let all = names.isEmpty ? (snapshot?.bottles.keys.sorted() ?? []) : names
        let wanted = try all.map { identity in
            guard let snapshot else { throw BottleError.missing(identity) }
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
}
