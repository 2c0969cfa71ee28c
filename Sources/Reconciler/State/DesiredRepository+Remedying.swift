import ReconcilerManifest
package import ReconcilerModel
package import ReconcilerTime

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
    /// - Throws: what committing a `RemediationStep` throws.
    package func commit(
        remediation draft: RemediationDraft,
        for identity: Identity,
        author: Author? = nil,
        at moment: Timestamp,
        expecting expected: Revision? = nil
    ) async throws -> (remediation: Remediation, revision: Revision) {
        let (outcome, revision) = try await commit(
            RemediationStep(adding: [draft], reason: draft.reason),
            for: identity,
            author: author,
            at: moment,
            expecting: expected
        )
        guard let made = outcome.made.first else {
            throw BottleError(.desiredUnwritable, "the remediation changed nothing", at: folder)
        }
        return (made, revision)
    }

    /// Commits what a step makes of a bottle's remediations, and drops those of the bottle that are spent.
    ///
    /// The numbers are chosen and the fit judged under the repository's lock, so that writers never collide. If the process
    /// dies here, the whole step is there or nothing of it.
    /// - Parameters:
    ///   - author: nil: the operator, as their git knows them.
    ///   - expected: the revision that was looked at; the bottle must be desired as it was there. nil: as HEAD has it.
    /// - Throws: `BottleError` `not-found` for a bottle that is not desired, what `DesiredState.taking` throws, and what
    ///   `commit` and `desired` throw.
    package func commit(
        _ step: RemediationStep,
        for identity: Identity,
        author: Author? = nil,
        at moment: Timestamp,
        expecting expected: Revision? = nil
    ) async throws -> (outcome: RemediationStep.Outcome, revision: Revision) {
        let user = author == nil ? await git.operator() : nil
        let name = author ?? (user ?? GitUser()).author
        var taken: RemediationStep.Outcome?
        let revision = try await commit(by: user, author: author, expecting: nil) { old in
            try await expect(expected, of: identity, at: old)
            let (text, files) = try await files(of: identity, at: old)
            guard let text else { throw BottleError.missing(identity) }
            let state = try Self.desired(of: identity, text: text, files: files, at: moment)
            let outcome = try state.taking(
                step,
                by: name,
                at: moment,
                after: Self.lastNumber(noted: files[Self.numberFile(of: identity)])
            )
            taken = outcome
            return edit(of: identity, outcome, reason: step.reason)
        }
        guard let taken, let revision else {
            throw BottleError(.desiredUnwritable, "the step changed nothing", at: folder)
        }
        return (taken, revision)
    }

    /// Who is named by what is committed here and now.
    package func operatorName() async -> Author { await git.operator().author }

    private func edit(of identity: Identity, _ outcome: RemediationStep.Outcome, reason: String) -> DesiredEdit {
        let effect = outcome.effect
        var changes: [String: DesiredChange] = [Self.numberFile(of: identity): .write("\(effect.lastNumber)\n")]
        for remediation in outcome.made {
            changes[Self.path(of: remediation, in: identity)] = .write(
                RemediationDocument.yaml(of: remediation, bottle: identity)
            )
        }
        let dropped = effect.withdrawn + effect.spent.map(\.remediation)
        for remediation in dropped { changes[Self.path(of: remediation, in: identity)] = .remove }
        let lines =
            outcome.made.map { "Bottle \(identity): \($0.name): \($0.change.text)" }
            + effect.withdrawn.map { "Drop \(identity)/\($0.name): withdrawn" }
            + Self.words(effect.spent, identity)
        return DesiredEdit(changes: changes, message: message(reason, lines))
    }

    /// Commits manifests, and drops the remediations of their bottles that they make superfluous or that have ended.
    ///
    /// - Parameters:
    ///   - prunesRemediations: whether all remediations of the bottles go.
    ///   - expected: the revision that HEAD must be; nil: whatever it is.
    ///   - seen: the revision that was looked at; the bottles must be desired as they were there. nil: as HEAD has them.
    /// - Returns: the new revision; nil, and no commit, when nothing changed.
    /// - Throws: what `commit` throws, `BottleError` `remediation-unreadable`.
    package func commit(
        manifests: [BottleManifest],
        reason: String,
        prunesRemediations: Bool = false,
        author: Author? = nil,
        at moment: Timestamp,
        expecting expected: Revision? = nil,
        unmovedSince seen: Revision? = nil
    ) async throws -> Revision? {
        try await commit(author: author, expecting: expected) { old in
            var changes: [String: DesiredChange] = [:]
            var lines: [String] = []
            for manifest in manifests {
                let identity = manifest.identity
                try await expect(seen, of: identity, at: old)
                changes[Self.path(of: identity)] = .write(ManifestDocument.yaml(of: manifest))
                let (_, files) = try await files(of: identity, at: old)
                let remediations = try Self.remediations(of: identity, files: files)
                let remedied = Self.remedied(manifest, remediations, at: moment)
                let spent = prunesRemediations ? remedied.outcomes : remedied.spent
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
            let last = max(
                Self.lastNumber(noted: files[Self.numberFile(of: identity)]),
                state.remedied.outcomes.map(\.remediation.number).max() ?? 0
            )
            changes[Self.numberFile(of: identity)] = .write("\(last)\n")
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

    /// The number in a bottle's file of numbers; 0 without one.
    package static func lastNumber(noted text: String?) -> Int { text.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0 }

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
