import ArgumentParser
import Reconciler
import ReconcilerModel
import ReconcilerState

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
        let edit = OperatorEdit(
            context: context,
            identity: identity,
            kind: .revoke,
            reason: reason ?? "revoke \(identity) \(items.joined(separator: " "))",
            assumesYes: yes
        )
        let subject = Grant.Subject(rawValue: items.first ?? "")
        let hosts = try subject == nil ? [] : items.dropFirst().map { try OperatorInput.host($0) }
        let (base, state) = try await edit.desired()
        var step = RemediationStep(reason: edit.reason)
        if let subject {
            for host in hosts { step.take(away: host, subject, of: state, identity) }
        } else {
            step.withdrawn = try Set(items.map { try state.remediation(named: $0).name })
        }
        try await edit.take(step, from: base, state)
    }
}

extension DesiredState {
    /// The remediation with a number or name.
    ///
    /// - Throws: `BottleError` `not-found`.
    func remediation(named text: String) throws -> Remediation {
        let all = remedied.outcomes.map(\.remediation)
        guard
            let found = all.first(where: {
                $0.name == text || String($0.number) == text || Remediation.digits($0.number) == text
            })
        else {
            throw BottleError(
                .notFound,
                "bottle \(declared.identity) has no remediation '\(VisibleText.line(text, limit: 80))'",
                remedy: "`bottle remediations \(declared.identity)` lists those there are"
            )
        }
        return found
    }
}

extension RemediationStep {
    /// Takes an entry away: what added it is withdrawn, and what the manifest itself says is removed.
    fileprivate mutating func take(
        away host: HostPattern,
        _ subject: Grant.Subject,
        of state: DesiredState,
        _ identity: Identity
    ) {
        let adding = state.remedied.outcomes.map(\.remediation).filter { remediation in
            switch (subject, remediation.change) {
            case (.host, .hostAdded(let other)): other == host
            case (.route, .routeAdded(let route)), (.route, .routeChanged(_, let route)): route.host == host
            default: false
            }
        }
        withdrawn.formUnion(adding.map(\.name))
        let isDeclared =
            switch subject {
            case .host: state.declared.egress.allowlist.contains(host)
            case .route: state.declared.routes.contains { $0.host == host }
            }
        guard isDeclared || adding.isEmpty else { return }
        added.append(RemediationDraft(subject == .host ? .hostRemoved(host) : .routeRemoved(host), reason: reason))
    }
}
