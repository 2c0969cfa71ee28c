import ArgumentParser
import Reconciler
import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState

struct Edit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change a bottle's desired state in an editor: its routes, allowlist, Dockerfile or manifest.",
        discussion: """
            Routes, allowlist and Dockerfile are shown with what was granted; the edit becomes remediations, which \
            later applies of the manifest keep. An edit of the manifest takes its place. A text that is not valid \
            comes back with the errors on top; one that is saved unchanged changes nothing.

              bottle edit allowlist dev
              EDITOR='code --wait' bottle edit routes dev --reason 'a narrower path'
            """
    )

    enum Subject: String, ExpressibleByArgument, CaseIterable { case routes, allowlist, dockerfile, manifest }

    @Argument(help: "What is edited: routes, allowlist, dockerfile or manifest.")
    var subject: Subject

    @Argument(help: "The bottle.")
    var bottle: String

    @Option(name: .shortAndLong, help: "Why, for the history of the desired state.")
    var reason: String?

    @Flag(name: .shortAndLong, help: "Ask nothing after the edit.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let identity = try Identity(bottle)
        let edit = OperatorEdit(
            context: context,
            identity: identity,
            kind: .edit,
            reason: reason ?? "edit the \(subject.rawValue) of \(identity)",
            assumesYes: yes
        )
        let (base, state) = try await edit.desired()
        let changes: [RemediationChange]?
        switch subject {
        case .routes: changes = try await routes(state, identity, context)
        case .allowlist: changes = try await allowlist(state, identity, context)
        case .dockerfile: changes = try await dockerfile(state, identity, context)
        case .manifest: return try await manifest(edit, base, state, context)
        }
        guard let changes, !changes.isEmpty else {
            return try PassReport(context: context).showNothing("nothing was changed")
        }
        let step = RemediationStep(
            adding: changes.map { RemediationDraft($0, reason: edit.reason) },
            reason: edit.reason
        )
        try await edit.take(step, from: base, state)
    }

    private func routes(
        _ state: DesiredState,
        _ identity: Identity,
        _ context: CommandContext
    ) async throws -> [RemediationChange]? {
        let old = state.remedied.manifest.routes.filter { $0.grant == nil }.map(\.unlimited)
        let hints = [
            "Routes of \(identity), as under egress_proxy in a manifest. What is granted within limits only is not shown."
        ]
        return try await EditorSession("routes.yaml", of: identity, in: context)
            .edit(EntryListReader.text(of: old), hints: hints) { text in
                let reading = EntryListReader.routes(file: "routes.yaml", bytes: Array(text.utf8))
                guard let routes = reading.routes else { throw InvalidManifest(diagnostics: reading.diagnostics) }
                return try checked(RemediationChange.between(old, routes), state)
            }
    }

    private func allowlist(
        _ state: DesiredState,
        _ identity: Identity,
        _ context: CommandContext
    ) async throws -> [RemediationChange]? {
        let old = state.remedied.manifest.egress.allowlist
        let hints = ["Hosts that \(identity) may reach without a credential, one a line; # begins a comment."]
        return try await EditorSession("allowlist.txt", of: identity, in: context)
            .edit(EntryListReader.text(of: old), hints: hints) { text in
                let reading = EntryListReader.hosts(file: "allowlist.txt", bytes: Array(text.utf8))
                guard let hosts = reading.hosts else { throw InvalidManifest(diagnostics: reading.diagnostics) }
                return try checked(RemediationChange.between(old, hosts), state)
            }
    }

    private func dockerfile(
        _ state: DesiredState,
        _ identity: Identity,
        _ context: CommandContext
    ) async throws -> [RemediationChange]? {
        let folder = try StateFolder.create(context.paths.state)
        let source = AgentDockerfile(of: state, contexts: folder.contexts)
        let hints = [
            "The Dockerfile of \(identity)'s agent. The agent is replaced by one of the new image; its home stays."
        ]
        return try await EditorSession("Dockerfile", of: identity, in: context)
            .edit(try source.text(), hints: hints) { text in
                let change = RemediationChange.dockerfileReplaced(try source.replaced(by: text))
                return try checked([change], state)
            }
    }

    /// The same changes, once it is certain that they fit.
    private func checked(_ changes: [RemediationChange], _ state: DesiredState) throws -> [RemediationChange] {
        guard !changes.isEmpty else { return [] }
        let drafts = changes.map { RemediationDraft($0, reason: "edit") }
        _ = try state.taking(
            RemediationStep(adding: drafts, reason: "edit"),
            by: Author(name: "operator", email: "operator"),
            at: CommandContext.now()
        )
        return changes
    }

    private func manifest(
        _ edit: OperatorEdit,
        _ base: OperatorEdit.Base,
        _ state: DesiredState,
        _ context: CommandContext
    ) async throws {
        let identity = edit.identity
        let hints = [
            "The manifest of \(identity) as it was applied. Its remediations stay: bottle remediations \(identity)"
        ]
        let written = try await EditorSession("manifest.yaml", of: identity, in: context)
            .edit(ManifestDocument.yaml(of: state.declared), hints: hints) { text in
                try ManifestArguments.resolved(text: text, named: "manifest.yaml", as: identity, context)
            }
        guard let written, written != state.declared else {
            return try PassReport(context: context).showNothing("nothing was changed")
        }
        let remedied = try base.snapshot.remedied(written, at: base.moment)
        try await edit.perform(from: base, to: remedied, telling: ["another manifest"]) { repository in
            try await repository.commit(
                manifests: [written],
                reason: edit.reason,
                at: base.moment,
                unmovedSince: base.snapshot.revision
            )
        }
    }
}
