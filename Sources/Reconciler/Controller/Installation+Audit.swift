import ReconcilerModel
import Synchronization

extension Installation {
    /// Makes an edit of the desired state by `commit`, on record before and after.
    ///
    /// See `AuditLog.recording`.
    package func recording(
        _ what: AuditKind,
        of edits: [AuditedEdit],
        reason: String,
        now: () -> String,
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

/// Collects actions as they end, for when their plan is cut short.
final class EndedActions: Sendable {
    private let actions = Mutex<[PerformedAction]>([])

    func add(_ action: PerformedAction) { actions.withLock { $0.append(action) } }

    var all: [PerformedAction] { actions.withLock { $0 } }
}
