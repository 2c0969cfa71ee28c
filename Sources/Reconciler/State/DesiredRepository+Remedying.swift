import ReconcilerManifest
package import ReconcilerModel

/// A remediation before it has a number, an author and a time.
package struct RemediationDraft: Sendable, Hashable {
    package var change: RemediationChange
    package var limits: GrantLimits?
    /// Why; the first line is the commit's subject.
    package var reason: String
    package var proposal: String?
    package var candidate: ContentDigest?

    package init(
        _ change: RemediationChange,
        limits: GrantLimits? = nil,
        reason: String,
        proposal: String? = nil,
        candidate: ContentDigest? = nil
    ) {
        self.change = change
        self.limits = limits
        self.reason = reason
        self.proposal = proposal
        self.candidate = candidate
    }
}

/// What one commit does.
package struct DesiredEdit: Sendable, Hashable {
    /// By path from the top of the repository.
    package var changes: [String: DesiredChange]
    package var message: String

    package init(changes: [String: DesiredChange], message: String) {
        self.changes = changes
        self.message = message
    }
}

extension DesiredRepository {
    /// Commits a remediation under the next free number, and drops those of the bottle that are spent.
    ///
    /// The number is chosen and the fit judged under the repository's lock, so that writers never collide. If the process
    /// dies here, the remediation is there wholly or not at all.
    /// - Parameters:
    ///   - author: nil: the operator, as their git knows them.
    ///   - expected: the revision that was looked at; nil: whatever HEAD is.
    /// - Throws: `BottleError` `not-found` for a bottle that is not desired, `remediation-conflict` when it does not fit,
    ///   `already-desired` when the manifest has it, `invalid-remediation`, and what `commit` and `desired` throw.
    package func commit(
        remediation draft: RemediationDraft,
        for identity: Identity,
        author: Author? = nil,
        at moment: Timestamp,
        expecting expected: Revision? = nil
    ) async throws -> (remediation: Remediation, revision: Revision) {
        // The commit asks for the operator by itself, and is signed as theirs then.
        let name = if let author { author } else { ((try? await git.user()) ?? GitUser()).author }
        var made: Remediation?
        let revision = try await commit(author: author, expecting: expected) { old in
            let (remediation, edit) = try await edit(adding: draft, to: identity, by: name, at: moment, on: old)
            made = remediation
            return edit
        }
        guard let made, let revision else {
            throw BottleError("desired-unwritable", "the remediation changed nothing", at: folder)
        }
        return (made, revision)
    }

    private func edit(
        adding draft: RemediationDraft,
        to identity: Identity,
        by author: Author,
        at moment: Timestamp,
        on old: Revision
    ) async throws -> (Remediation, DesiredEdit) {
        let (text, files) = try await files(of: identity, at: old)
        guard let text else {
            throw BottleError.missing(identity)
        }
        let state = try Self.desired(of: identity, text: text, files: files, at: moment)
        let present = state.remedied.outcomes.map(\.remediation)
        let remediation = try Self.remediation(
            draft,
            number: Self.nextNumber(after: present, files[Self.numberFile(of: identity)]),
            by: author,
            at: moment,
            of: identity
        )
        let after = Self.remedied(state.declared, present + [remediation], at: moment)
        switch after.outcomes.first(where: { $0.remediation.number == remediation.number })?.fit {
        case .conflict(let reason):
            throw BottleError(
                "remediation-conflict",
                "it does not fit: \(reason)",
                at: identity.name,
                remedy: "look at what is desired (`bottle describe \(identity)`), and change that instead"
            )
        case .redundant where after.manifest == state.remedied.manifest:
            throw BottleError("already-desired", "what it asks for is desired already", at: identity.name)
        case .expired:
            throw BottleError("already-ended", "it would end before it begins", at: identity.name)
        case .applied, .redundant, nil: break
        }
        var changes: [String: DesiredChange] = [
            Self.path(of: remediation, in: identity): .write(
                RemediationDocument.yaml(of: remediation, bottle: identity)
            ),
            Self.numberFile(of: identity): .write("\(remediation.number)\n"),
        ]
        let dropped = after.spent.filter { $0.remediation.number != remediation.number }
        for outcome in dropped { changes[Self.path(of: outcome.remediation, in: identity)] = .remove }
        let lines =
            ["Bottle \(identity): \(remediation.name): \(remediation.change.text)"] + Self.words(dropped, identity)
        return (remediation, DesiredEdit(changes: changes, message: message(draft.reason, lines)))
    }

    /// Commits manifests, and drops the remediations of their bottles that they make superfluous or that have ended.
    ///
    /// - Returns: the new revision; nil, and no commit, when nothing changed.
    /// - Throws: what `commit` throws, `BottleError` `remediation-unreadable`.
    package func commit(
        manifests: [BottleManifest],
        reason: String,
        author: Author? = nil,
        at moment: Timestamp,
        expecting expected: Revision? = nil
    ) async throws -> Revision? {
        try await commit(author: author, expecting: expected) { old in
            var changes: [String: DesiredChange] = [:]
            var lines: [String] = []
            for manifest in manifests {
                let identity = manifest.identity
                changes[Self.path(of: identity)] = .write(ManifestDocument.yaml(of: manifest))
                let (_, files) = try await files(of: identity, at: old)
                let remediations = try Self.remediations(of: identity, files: files)
                let spent = Self.remedied(manifest, remediations, at: moment).spent
                for outcome in spent { changes[Self.path(of: outcome.remediation, in: identity)] = .remove }
                lines += Self.words(spent, identity)
            }
            return DesiredEdit(changes: changes, message: message(reason, lines))
        }
    }

    /// Commits the removal of some of a bottle's remediations; their numbers are never given again.
    ///
    /// - Parameter choose: which of them go, judged under the repository's lock.
    /// - Returns: those that went, and the new revision; nil, and no commit, when none did.
    /// - Throws: what `commit` and `desired` throw.
    package func dropRemediations(
        of identity: Identity,
        reason: String,
        author: Author? = nil,
        at moment: Timestamp,
        expecting expected: Revision? = nil,
        where choose: (RemediationOutcome) -> Bool
    ) async throws -> (dropped: [Remediation], revision: Revision)? {
        var dropped: [RemediationOutcome] = []
        let revision = try await commit(author: author, expecting: expected) { old in
            let (text, files) = try await files(of: identity, at: old)
            guard let text else { return nil }
            let state = try Self.desired(of: identity, text: text, files: files, at: moment)
            dropped = state.remedied.outcomes.filter(choose)
            guard !dropped.isEmpty else { return nil }
            var changes: [String: DesiredChange] = [:]
            for outcome in dropped { changes[Self.path(of: outcome.remediation, in: identity)] = .remove }
            // A file made by hand may have a number that was never noted.
            let last = Self.nextNumber(
                after: state.remedied.outcomes.map(\.remediation),
                files[Self.numberFile(of: identity)]
            )
            changes[Self.numberFile(of: identity)] = .write("\(last - 1)\n")
            return DesiredEdit(changes: changes, message: message(reason, Self.words(dropped, identity)))
        }
        return revision.map { (dropped.map(\.remediation), $0) }
    }

    /// Commits the removal of a bottle: its manifest and everything that was ever decided for it.
    ///
    /// - Returns: the new revision; nil, and no commit, when nothing of it was there.
    /// - Throws: what `commit` throws.
    package func remove(_ identity: Identity, reason: String) async throws -> Revision? {
        try await commit { old in
            let (_, files) = try await files(of: identity, at: old)
            var changes: [String: DesiredChange] = [Self.path(of: identity): .remove]
            for path in files.keys { changes[path] = .remove }
            return DesiredEdit(changes: changes, message: reason)
        }
    }

    // MARK: - Parts

    private static func nextNumber(after present: [Remediation], _ noted: String?) -> Int {
        let noted = noted.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        return max(present.map(\.number).max() ?? 0, noted) + 1
    }

    private static func remediation(
        _ draft: RemediationDraft,
        number: Int,
        by author: Author,
        at moment: Timestamp,
        of identity: Identity
    ) throws -> Remediation {
        do {
            return try Remediation(
                number: number,
                slug: draft.change.slug,
                change: draft.change,
                provenance: Remediation.Provenance(
                    author: "\(author.name) <\(author.email)>",
                    time: moment,
                    reason: draft.reason,
                    proposal: draft.proposal,
                    candidate: draft.candidate
                ),
                limits: draft.limits
            )
        } catch {
            throw BottleError("invalid-remediation", "the remediation is not valid: \(error.rule)", at: identity.name)
        }
    }

    /// What happens to remediations that go.
    private static func words(_ outcomes: [RemediationOutcome], _ identity: Identity) -> [String] {
        outcomes.map { outcome in
            let why =
                switch outcome.fit {
                case .redundant: "the manifest has it"
                case .expired: "it has ended"
                case .applied, .conflict: "withdrawn"
                }
            return "Drop \(identity)/\(outcome.remediation.name): \(why)"
        }
    }

    private func message(_ reason: String, _ lines: [String]) -> String {
        lines.isEmpty ? reason : reason + "\n\n" + lines.joined(separator: "\n")
    }
}
