import ArgumentParser
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState

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
        let expected = try await expected(in: context)
        guard !dryRun else {
            try await PlanView(context: context, prunesRemediations: pruneRemediations).show(manifests: manifests)
            return
        }
        // What is wrong with the manifests is told before anything is made, the state folder included.
        let wanted = try manifests.resolved(context, contexts: "\(context.paths.state)/contexts")
        let engine = try await context.engine()
        defer { engine.close() }
        let installation = try await context.installation(engine: engine)
        let launch = Launch(
            context: context,
            installation: installation,
            wanted: wanted,
            prunesRemediations: pruneRemediations,
            expected: expected
        )
        let previews = try await launch.preview()
        let authority = Dictionary(previews.map { ($0.manifest.identity, $0.authority) }) { first, _ in first }
        if let settled = try launch.settled(previews) {
            return try PassReport(context: context).show(settled, authority: authority)
        }
        let mayEndAgents = try launch.confirm(previews, yes: yes)
        try await launch.commit(reason: reason ?? "apply \(manifests.names)")
        try PassReport(context: context).show(
            try await launch.converge(mayEndAgents: mayEndAgents),
            authority: authority
        )
    }

    /// The revision that the desired state must be at.
    ///
    /// - Throws: `BottleError` `desired-moved` when it is at another one, `no-revision`.
    private func expected(in context: CommandContext) async throws -> Revision? {
        guard let expectRevision else { return nil }
        guard let repository = try context.openRepository() else {
            throw BottleError(.desiredMoved, "nothing was ever applied: there is no revision \(expectRevision)")
        }
        let expected = try await repository.revision(named: expectRevision)
        try await repository.expect(expected)
        return expected
    }
}

extension ManifestArguments {
    /// What was named, for messages.
    var names: String { file.isEmpty ? "bottle.yaml" : file.joined(separator: " ") }
}
