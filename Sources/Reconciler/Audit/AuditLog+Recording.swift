package import ReconcilerModel
package import ReconcilerTime
import ReconcilerTrust

/// One bottle's part of an edit of the desired state.
package struct AuditedEdit: Sendable {
    package var bottle: Identity
    /// nil: the bottle was not desired, or what was desired is unreadable.
    package var before: BottleManifest?
    /// nil: it is desired no more.
    package var after: BottleManifest?

    package init(_ bottle: Identity, from before: BottleManifest?, to after: BottleManifest?) {
        self.bottle = bottle
        self.before = before
        self.after = after
    }
}

extension AuditLog {
    /// Puts an edit of the desired state on record around the commit that makes it.
    ///
    /// An intent is durable before `commit` begins, so that where the log can't be written no edit is made; a line with
    /// the revision and what it changed follows it. If the process dies in between, the intent stands without an answer
    /// and the repository's history tells whether the commit was made.
    /// - Parameters:
    ///   - edits: the bottles whose manifests the commit changes.
    ///   - commit: nil: nothing was different after all.
    /// - Returns: what `commit` returned.
    package func recording(
        _ what: AuditKind,
        of edits: [AuditedEdit],
        reason: String,
        trust: String,
        now: () -> Timestamp,
        _ commit: () async throws -> Revision?
    ) async throws -> Revision? {
        guard !edits.isEmpty else {
            guard let revision = try await commit() else { return nil }
            // No manifest changed, and the commit did something all the same: dropped what had become superfluous, say.
            var details = AuditDetails()
            details.reason = AuditText.bounded(reason, 1000)
            details.outcome = "done"
            try append([AuditEntry(what, revision: revision, details: details)], at: now())
            return revision
        }
        let fingerprint = try KeyedFingerprint.load(from: StateFiles(folder: trust))
        var intent = AuditDetails()
        intent.edit = what.rawValue
        intent.reason = AuditText.bounded(reason, 1000)
        let begun = try append(edits.map { AuditEntry(.intent, bottle: $0.bottle, details: intent) }, at: now())
        let answers = zip(edits, begun).map { edit, number in
            var details = AuditDetails()
            details.intent = number
            details.reason = intent.reason
            details.take(ManifestChange(from: edit.before, to: edit.after, fingerprint))
            details.take(Authority.changes(from: edit.before, to: edit.after))
            return AuditEntry(what, bottle: edit.bottle, details: details)
        }
        let revision: Revision?
        do {
            revision = try await commit()
        } catch {
            // The commit's own error is the one to act on, whether this can be written or not.
            _ = try? append(answers.map { $0.failed("\(error)") }, at: now())
            throw error
        }
        try append(
            answers.map { answer in
                var answer = answer
                answer.revision = revision
                answer.details.outcome = revision == nil ? "unchanged" : "done"
                return answer
            },
            at: now()
        )
        return revision
    }

    /// Puts actions on record before the first of them is begun.
    ///
    /// - Returns: the number of the line, for `end`; nil when there is nothing to do.
    package func begin(_ plan: Plan, revision: Revision?, at time: Timestamp) throws -> Int? {
        guard !plan.isEmpty else { return nil }
        var details = AuditDetails()
        details.actions = plan.actions.prefix(AuditDetails.mostItems).map { AuditDetails.Act($0) }
        let drift = plan.mendedDrift
        if !drift.isEmpty { details.drift = drift.prefix(AuditDetails.mostItems).map { AuditDetails.Difference($0) } }
        details.count(leftOut: max(0, plan.actions.count - AuditDetails.mostItems))
        details.count(leftOut: max(0, drift.count - AuditDetails.mostItems))
        let entry = AuditEntry(
            .intent,
            bottle: plan.identity,
            revision: revision,
            details: details
        )
        return try append([entry], at: time).first
    }

    /// Puts on record what became of a plan's actions, and of the drift that they were to mend.
    ///
    /// - Parameter performed: those that ended; of others the intent alone tells.
    package func end(_ intent: Int?, _ plan: Plan, performed: [PerformedAction], at time: Timestamp) throws {
        guard let intent else { return }
        var entries = performed.map { performed in
            var details = AuditDetails()
            details.intent = intent
            details.action = AuditDetails.Act(performed)
            return AuditEntry(.action, bottle: plan.identity, details: details)
        }
        for drift in plan.mendedDrift {
            let outcomes = performed.filter { $0.action.object == drift.object }.map(\.outcome)
            var details = AuditDetails()
            details.intent = intent
            details.healed = AuditDetails.Difference(drift)
            details.outcome = !outcomes.isEmpty && outcomes.allSatisfy { $0 == .done } ? "done" : "failed"
            entries.append(AuditEntry(.heal, bottle: plan.identity, details: details))
        }
        try append(entries, at: time)
    }
}

extension AuditEntry {
    fileprivate func failed(_ error: String) -> AuditEntry {
        var entry = self
        entry.details.outcome = "failed"
        entry.details.error = AuditText.bounded(error, 2000)
        return entry
    }
}

extension Plan {
    /// The drift that an action of this plan is about; the rest is only told.
    fileprivate var mendedDrift: [Drift] {
        let objects = Set(actions.map(\.object))
        return drift.filter { objects.contains($0.object) }
    }
}
