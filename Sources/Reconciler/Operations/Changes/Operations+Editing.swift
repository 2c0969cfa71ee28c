import Reconciler
import ReconcilerManifest
package import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState

/// A part of a bottle's desired state that an operator edits as text.
package struct EditableText: Sendable {
    package enum Subject: String, Sendable, CaseIterable { case routes, allowlist, dockerfile, manifest }

    package let subject: Subject
    /// The file's name as an editor shows it: `routes.yaml`.
    package let name: String
    package let text: String
    /// What to tell about it.
    package let hint: String
    let base: DesiredBase
    fileprivate let dockerfile: AgentDockerfile
    fileprivate let operations: Operations

    package var identity: Identity { base.identity }

    /// Reads what was written.
    ///
    /// - Returns: nil when it changes nothing.
    /// - Throws: `InvalidManifest` and `BottleError` for what can't be taken as it is.
    package func read(_ written: String) throws -> EditedText? {
        let state = try base.desired()
        let bytes = Array(written.utf8)
        switch subject {
        case .routes:
            let reading = EntryListReader.routes(file: name, bytes: bytes)
            guard let routes = reading.routes else { throw InvalidManifest(diagnostics: reading.diagnostics) }
            return try edited(RemediationChange.between(Self.routes(of: state), routes))
        case .allowlist:
            let reading = EntryListReader.hosts(file: name, bytes: bytes)
            guard let hosts = reading.hosts else { throw InvalidManifest(diagnostics: reading.diagnostics) }
            return try edited(RemediationChange.between(state.remedied.manifest.egress.allowlist, hosts))
        case .dockerfile: return try edited([.dockerfileReplaced(try dockerfile.replaced(by: written))])
        case .manifest:
            let reading = ManifestReader.read([ManifestSource(name: name, bytes: bytes)], limits: .stored)
            guard !reading.hasErrors else { throw InvalidManifest(diagnostics: reading.diagnostics) }
            let (manifests, warnings) = try operations.resolve(reading, keepsContexts: true)
            guard manifests.count == 1, let manifest = manifests.first, manifest.identity == identity else {
                throw BottleError(.otherBottle, "the manifest must stay that of bottle \(identity) alone", at: name)
            }
            guard manifest != state.declared else { return nil }
            return EditedText(base: base, content: .manifest(manifest), warnings: warnings)
        }
    }

    private func edited(_ changes: [RemediationChange]) throws -> EditedText? {
        guard !changes.isEmpty else { return nil }
        let step = RemediationStep(adding: changes.map { RemediationDraft($0, reason: "") }, reason: "")
        _ = try base.desired().effect(of: step, at: base.moment, after: base.lastNumber)
        return EditedText(base: base, content: .changes(changes))
    }

    /// The routes that hold always.
    fileprivate static func routes(of state: DesiredState) -> [Route] {
        state.remedied.manifest.routes.filter { $0.grant == nil }.map(\.unlimited)
    }
}

/// An edit that reads well and fits.
package struct EditedText: Sendable {
    fileprivate enum Content: Sendable {
        case changes([RemediationChange])
        case manifest(BottleManifest)
    }

    fileprivate let base: DesiredBase
    fileprivate let content: Content
    package fileprivate(set) var warnings: [Diagnostic] = []
}

extension Operations {
    /// A part of a bottle's desired state as text.
    ///
    /// - Throws: `BottleError` `not-found`, `context-unreadable`.
    package func editableText(_ subject: EditableText.Subject, of identity: Identity) async throws -> EditableText {
        let base = try await base(of: identity)
        let state = try base.desired()
        let folder = try StateFolder.create(paths.state)
        let dockerfile = AgentDockerfile(of: state, contexts: folder.contexts)
        let (name, text, hint) =
            switch subject {
            case .routes:
                (
                    "routes.yaml", EntryListReader.text(of: EditableText.routes(of: state)),
                    "Routes of \(identity), as under egress_proxy in a manifest. What is granted within limits only is "
                        + "not shown."
                )
            case .allowlist:
                (
                    "allowlist.txt", EntryListReader.text(of: state.remedied.manifest.egress.allowlist),
                    "Hosts that \(identity) may reach without a credential, one a line; # begins a comment."
                )
            case .dockerfile:
                (
                    "Dockerfile", try dockerfile.text(),
                    "The Dockerfile of \(identity)'s agent. The agent is replaced by one of the new image; its home stays."
                )
            case .manifest:
                (
                    "manifest.yaml", ManifestDocument.yaml(of: state.declared),
                    "The manifest of \(identity) as it was applied. Its remediations stay: bottle remediations \(identity)"
                )
            }
        return EditableText(
            subject: subject,
            name: name,
            text: text,
            hint: hint,
            base: base,
            dockerfile: dockerfile,
            operations: self
        )
    }

    /// The folder for texts that operators are editing; it is made when it is missing.
    package func editsFolder() throws -> String {
        let folder = try StateFolder.create(paths.state).edits
        try POSIX.makeFolder(folder)
        return folder
    }

    /// Prepares what was edited: an edit of the manifest takes its place, every other one becomes remediations.
    package func prepare(editing edited: EditedText, reason: String) async throws -> PreparedChange {
        let base = edited.base
        switch edited.content {
        case .changes(let changes):
            let drafts = changes.map { RemediationDraft($0, reason: reason) }
            return try await prepare(.edit, RemediationStep(adding: drafts, reason: reason), on: base)
        case .manifest(let manifest):
            return try await prepare(
                .edit,
                reason: reason,
                on: base,
                to: try base.snapshot.remedied(manifest, at: base.moment),
                notes: ["another manifest"]
            ) { installation, record in
                try await record {
                    try await installation.repository.commit(
                        manifests: [manifest],
                        reason: reason,
                        at: base.moment,
                        unmovedSince: base.snapshot.revision
                    )
                }
            }
        }
    }
}
