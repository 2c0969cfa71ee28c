import ArgumentParser
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform

struct Apply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make bottles what their manifests say.",
        discussion: """
            Commits the manifests, with everything they refer to, to the desired state, then does what closes the \
            difference to what the engine shows, and nothing else. Run it again at any time: it goes on from what is \
            there.

              bottle apply -f bottle.yaml
              bottle apply -f team/ --dry-run -o json
            """
    )

    @OptionGroup var manifests: ManifestArguments
    @OptionGroup var common: CommonOptions

    @Flag(name: .long, help: "Show the plan and change nothing; exits 2 when there are changes.")
    var dryRun = false

    @Flag(name: .shortAndLong, help: "Ask nothing, also before a living agent is replaced.")
    var yes = false

    @Option(name: .long, help: "Why, for the history of the desired state.")
    var reason: String?

    @Flag(name: .long, help: "Drop all remediations of these bottles: the manifests are all that is desired.")
    var pruneRemediations = false

    @Option(name: .long, help: "Change nothing unless the desired state is at this revision.")
    var expectRevision: String?

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let operations = context.operations
        var expected: Revision?
        if let expectRevision { expected = try await operations.expectedRevision(named: expectRevision) }
        guard !dryRun else {
            let wanted = try manifests.resolved(context, keepsContexts: false)
            let bottles = try await operations.plan(applying: wanted, prunesRemediations: pruneRemediations)
            return try PlanView(context: context).show(bottles)
        }
        // What is wrong with the manifests is told before anything is made, the state folder included.
        let change = try await operations.prepare(
            applying: try manifests.resolved(context, keepsContexts: true),
            reason: reason ?? "apply \(manifests.names)",
            prunesRemediations: pruneRemediations,
            expecting: expected
        )
        try await context.carryOut(change, yes: yes)
    }
}
