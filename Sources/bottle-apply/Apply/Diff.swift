import ArgumentParser
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform

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
        let operations = context.operations
        let view = PlanView(context: context)
        guard manifests.file.isEmpty else {
            let wanted = try manifests.resolved(context, keepsContexts: false)
            return try view.show(try await operations.plan(applying: wanted))
        }
        if bottles.count == 2, RevisionDiff.isRange(bottles[1]),
            try await !operations.desiredBottles().contains(where: { $0.name == bottles[1] })
        {
            let identity = try Identity(bottles[0])
            let difference = try await operations.difference(of: identity, in: bottles[1])
            return try RevisionDiff(context: context).show(difference, of: identity)
        }
        try view.show(try await operations.plan(committed: try bottles.map { try Identity($0) }))
    }
}
