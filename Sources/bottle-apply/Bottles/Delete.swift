import ArgumentParser
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform

struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove bottles: their containers, networks and volumes, the agent's home included.",
        discussion: """
            The removal is a commit to the desired state; exactly the bottles' objects go, nothing else.

              bottle delete dev
              bottle delete dev reviewer --yes
            """
    )

    @Argument(help: "The bottles to remove.")
    var bottles: [String]

    @Flag(name: .shortAndLong, help: "Ask nothing.")
    var yes = false

    @Flag(name: .long, help: "Succeed when a named bottle does not exist.")
    var ignoreNotFound = false

    @Option(name: .long, help: "Why, for the history of the desired state.")
    var reason: String?

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let change = try await context.operations.prepare(
            deleting: try bottles.map { try Identity($0) },
            ignoringMissing: ignoreNotFound,
            reason: reason
        )
        guard !change.identities.isEmpty else { return try report([], context) }
        _ = try context.confirm(change, yes: yes)
        // A deletion commits where it removes, so that no other process comes in between.
        let results = try await change.converge(mayEndAgents: true, progress: context.progress)
        let problems = results.compactMap(\.error)
        let removed = results.filter { $0.error == nil }
        if let problem = problems.first, removed.isEmpty { throw problem }
        problems.forEach(context.console.complain)
        try report(removed.map { PlanDocument.Bottle($0) }, context)
        if !problems.isEmpty { throw ExitStatus.failure }
    }

    private func report(_ removed: [PlanDocument.Bottle], _ context: CommandContext) throws {
        let document = PlanDocument(kind: .result, bottles: removed)
        func isWhole(_ bottle: PlanDocument.Bottle) -> Bool { bottle.actions.allSatisfy { $0.outcome == .done } }
        try context.show(document) {
            removed.isEmpty
                ? "nothing to delete"
                : removed.map { "\($0.identity): \(isWhole($0) ? "deleted" : "not all of it could be removed")" }
                    .joined(separator: "\n")
        }
        guard removed.allSatisfy(isWhole) else { throw ExitStatus.failure }
    }
}
