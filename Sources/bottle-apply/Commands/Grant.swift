import ArgumentParser
import Reconciler
import ReconcilerManifest
import ReconcilerModel
import ReconcilerState

struct Grant: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let a bottle reach more, for a time, for some requests, or until it is revoked.",
        discussion: """
            Each thing granted is a remediation: a commit of the desired state that later applies of the manifest \
            keep. Limits are kept by the egress-proxy itself, whether a controller runs or not.

              bottle grant dev host docs.example.org --for 2h --reason 'it reads the manual'
              bottle grant dev route '{host: api.example.org, methods: [GET]}' --uses 5
              bottle grant dev --from-refusal a7bq3kfm2xwd
            """
    )

    enum Subject: String, ExpressibleByArgument, CaseIterable { case host, route }

    @Argument(help: "The bottle.")
    var bottle: String

    @Argument(help: "What is granted: host or route.")
    var subject: Subject?

    @Argument(help: "Names of hosts, or routes as in a manifest, each as JSON or flow-style YAML.")
    var items: [String] = []

    @Option(name: .long, help: "Grant what would have let these refusals through: ids that `bottle denied` shows.")
    var fromRefusal: [String] = []

    @Flag(name: .long, help: "With --from-refusal: for a new host a route with the methods that were seen, no more.")
    var narrow = false

    @OptionGroup var limitArguments: LimitArguments

    @Option(name: .shortAndLong, help: "Why, for the history of the desired state.")
    var reason: String?

    @Flag(name: .shortAndLong, help: "Ask nothing.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if fromRefusal.isEmpty {
            guard subject != nil, !items.isEmpty else {
                throw ValidationError("say what to grant: host NAME, route JSON, or --from-refusal ID")
            }
            if narrow { throw ValidationError("--narrow goes with --from-refusal only") }
        } else if subject != nil {
            throw ValidationError("--from-refusal says what to grant: name no host or route beside it")
        }
    }

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let identity = try Identity(bottle)
        let changes: (BottleManifest) async throws -> [RemediationChange]
        switch subject {
        case .host:
            let hosts = try items.map { try OperatorInput.host($0) }
            changes = { _ in hosts.map { .hostAdded($0) } }
        case .route:
            let routes = try items.map { try OperatorInput.route($0) }
            changes = { manifest in
                routes.map { route in
                    let known = manifest.routes.first { $0.host == route.host && $0.grant == nil }?.unlimited
                    return known.map { .routeChanged(from: $0, to: route) } ?? .routeAdded(route)
                }
            }
        case nil: changes = { try await refused(of: identity, in: $0, context) }
        }
        let edit = OperatorEdit(
            context: context,
            identity: identity,
            kind: .grant,
            reason: reason ?? "grant \(identity) \(words)",
            assumesYes: yes
        )
        let (base, state) = try await edit.desired()
        let limits = try limitArguments.limits(from: base.moment)
        let drafts = try await changes(state.remedied.manifest).map { change in
            RemediationDraft(change, limits: limits, reason: edit.reason)
        }
        try await edit.take(RemediationStep(adding: drafts, reason: edit.reason), from: base, state)
    }

    private var words: String {
        fromRefusal.isEmpty
            ? "\(subject?.rawValue ?? "") \(items.joined(separator: " "))"
            : "what was refused: \(fromRefusal.joined(separator: " "))"
    }

    /// What would have let the named refusals through.
    private func refused(
        of identity: Identity,
        in manifest: BottleManifest,
        _ context: CommandContext
    ) async throws -> [RemediationChange] {
        var reader = try await RefusalReader(context, since: nil)
        defer { reader.close() }
        try await reader.read([identity])
        let groups = try reader.groups(named: fromRefusal, of: identity)
        let suggestion = RefusalSuggestion(for: groups, in: manifest)
        for case .impossible(let reason) in suggestion.verdicts.map(\.outcome) {
            throw BottleError(
                .notGrantable,
                "no grant lets this through: \(reason)",
                at: identity.name,
                remedy: "`bottle denied \(identity) --suggest` says so of each"
            )
        }
        return suggestion.changes(isNarrow: narrow)
    }
}
