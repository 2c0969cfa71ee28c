import ArgumentParser
import ReconcilerManifest
import ReconcilerModel
import ReconcilerOperations

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
        let request: GrantRequest =
            switch subject {
            case .host: .hosts(try items.map { try OperatorInput.host($0) })
            case .route: .routes(try items.map { try OperatorInput.route($0) })
            case nil: .refusals(fromRefusal, isNarrow: narrow)
            }
        let change = try await context.operations.prepare(
            granting: request,
            to: identity,
            within: limitArguments.request,
            reason: reason ?? "grant \(identity) \(words)"
        )
        try await context.carryOut(change, yes: yes)
    }

    private var words: String {
        fromRefusal.isEmpty
            ? "\(subject?.rawValue ?? "") \(items.joined(separator: " "))"
            : "what was refused: \(fromRefusal.joined(separator: " "))"
    }
}
