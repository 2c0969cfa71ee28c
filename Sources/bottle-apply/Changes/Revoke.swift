import ArgumentParser
import ReconcilerModel
import ReconcilerOperations

struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take back what was granted, or a host or route of the manifest; live connections of it are cut.",
        discussion: """
            A number or name takes one remediation back. A host or route goes whoever wrote it: remediations that \
            added it are withdrawn, and what the manifest says of it is taken away by a remediation.

              bottle revoke dev 7
              bottle revoke dev host docs.example.org --reason 'no longer needed'
              bottle revoke dev route api.example.org
            """
    )

    @Argument(help: "The bottle.")
    var bottle: String

    @Argument(help: "Numbers or names of remediations; or host or route, and then names of hosts.")
    var items: [String]

    @Option(name: .shortAndLong, help: "Why, for the history of the desired state.")
    var reason: String?

    @Flag(name: .shortAndLong, help: "Ask nothing.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let first = items.first, Grant.Subject(rawValue: first) != nil, items.count == 1 {
            throw ValidationError("name a host after '\(first)'")
        }
    }

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let identity = try Identity(bottle)
        let request: RevokeRequest =
            switch Grant.Subject(rawValue: items.first ?? "") {
            case .host: .hosts(try items.dropFirst().map { try OperatorInput.host($0) })
            case .route: .routes(try items.dropFirst().map { try OperatorInput.host($0) })
            case nil: .remediations(items)
            }
        let change = try await context.operations.prepare(
            revoking: request,
            from: identity,
            reason: reason ?? "revoke \(identity) \(items.joined(separator: " "))"
        )
        try await context.carryOut(change, yes: yes)
    }
}
