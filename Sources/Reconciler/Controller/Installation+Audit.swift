package import ReconcilerModel
package import ReconcilerState
package import ReconcilerTime

extension Installation {
    /// Makes an edit of the desired state by `commit`, on record before and after.
    ///
    /// See `AuditLog.recording`.
    package func recording(
        _ what: AuditKind,
        of edits: [AuditedEdit],
        reason: String,
        now: () -> Timestamp,
        _ commit: () async throws -> Revision?
    ) async throws -> Revision? {
        try await AuditLog(state).recording(
            what,
            of: edits,
            reason: reason,
            trust: state.trust,
            now: now,
            commit
        )
    }
}
