import ReconcilerModel
import Synchronization

/// Collects actions as they end, for when their plan is cut short.
final class EndedActions: Sendable {
    private let actions = Mutex<[PerformedAction]>([])

    func add(_ action: PerformedAction) { actions.withLock { $0.append(action) } }

    var all: [PerformedAction] { actions.withLock { $0 } }
}
