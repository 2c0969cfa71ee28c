import ReconcilerModel
import Synchronization

/// Collects the ended actions of a plan, in case the plan is cancelled.
final class EndedActions: Sendable {
    private let actions = Mutex<[PerformedAction]>([])

    func add(_ action: PerformedAction) { actions.withLock { $0.append(action) } }

    var all: [PerformedAction] { actions.withLock { $0 } }
}
