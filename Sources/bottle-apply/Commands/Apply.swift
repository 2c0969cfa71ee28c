import ArgumentParser
import Reconciler
import ReconcilerEngine
import ReconcilerModel

struct Apply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make bottles what their manifests say.",
        discussion: """
            Commits the manifests, with everything they refer to, to the desired state, then does what closes the
            difference to what the engine shows, and nothing else. Run it again at any time: it goes on from what is
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

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        guard !dryRun else {
            try await PlanShowing(context: context).show(manifests: manifests)
            return
        }
        // What is wrong with the manifests is told before anything is made, the state folder included.
        let wanted = try manifests.resolved(context, contexts: "\(context.paths.state)/contexts")
        let engine = try await context.engine()
        defer { engine.close() }
        let installation = try await context.installation(engine: engine)
        let launch = Launch(context: context, installation: installation, wanted: wanted)
        let previews = try await launch.preview()
        let authority = Dictionary(previews.map { ($0.manifest.identity, $0.authority) }) { first, _ in first }
        if let settled = try launch.settled(previews) { return try report(settled, authority, context) }
        let mayEndAgents = try launch.confirm(previews, yes: yes)
        try await launch.commit(reason: reason ?? "apply \(manifests.names)")
        try report(try await launch.converge(mayEndAgents: mayEndAgents), authority, context)
    }

    /// - Parameter authority: what the desired state added and took away, by bottle.
    private func report(
        _ results: [PassResult],
        _ authority: [Identity: [AuthorityChange]],
        _ context: CommandContext
    ) throws {
        let failed = results.compactMap(\.error)
        let document = PlanDocument(
            kind: .result,
            bottles: results.map { result in
                var bottle = PlanDocument.Bottle(result)
                bottle.authority = authority[result.identity]
                return bottle
            }
        )
        try context.show(document) { results.map(text).joined(separator: "\n") }
        for error in failed { context.console.err(error.text(Style(isOn: context.console.colorsErrors))) }
        if !failed.isEmpty { throw ExitStatus.failure }
    }

    private func text(_ result: PassResult) -> String {
        let done = result.performed.count { $0.outcome == .done }
        let notes = result.findings.filter { $0.error == nil }.map { "\n  note: \(PlanText.text(of: $0))" }.joined()
        let state = result.error == nil ? "converged" : "not converged"
        let launched = result.performed.contains {
            $0.action.verb == .create && $0.action.object == .container(.egressProxy)
        }
        let fingerprint = launched ? result.preflight.tls.caFingerprint.map { "\n  CA SHA-256 \($0)" } ?? "" : ""
        return "\(result.identity): \(state), \(PlanText.count(done))\(fingerprint)\(notes)"
    }
}

extension ManifestArguments {
    /// What was named, for messages.
    var names: String { file.isEmpty ? "bottle.yaml" : file.joined(separator: " ") }
}
