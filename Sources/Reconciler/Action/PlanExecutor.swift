package import ReconcilerModel

/// Runs a plan: what doesn't depend on one another side by side, what depends on a failure not at all.
package struct PlanExecutor: Sendable {
    /// What the reader of a plan's progress is told.
    package enum Progress: Sendable {
        case began(Action)
        case ended(PerformedAction)
        /// Somebody else holds a lock that this pass needs.
        case waiting(String)
        /// A line of a build or a pull.
        case output(Action, String)
        /// What went wrong without keeping the action from its end.
        case warning(String)
    }

    private let perform: @Sendable (Action, _ mayStart: @Sendable () async throws -> Void) async throws -> Void
    private let report: @Sendable (Progress) -> Void

    /// - Parameter perform: does one action; it calls its second argument before it starts a container it created,
    ///   which returns once everything the start depends on is done.
    package init(
        perform: @escaping @Sendable (Action, _ mayStart: @Sendable () async throws -> Void) async throws -> Void,
        report: @escaping @Sendable (Progress) -> Void
    ) {
        self.perform = perform
        self.report = report
    }

    /// Something that a start depended on failed.
    package struct DependencyFailed: Error, CustomStringConvertible {
        package var description: String { "something it depends on failed" }
    }

    /// Performs the whole plan.
    ///
    /// - Returns: every action in the plan's order, with what became of it. Failures are in there, not thrown.
    /// - Throws: `CancellationError`, after everything begun has ended.
    package func execute(_ plan: Plan) async throws -> [PerformedAction] {
        let barrier = DependencyBarrier(count: plan.actions.count)
        let ended = await withTaskGroup(of: (Int, PerformedAction).self) { group in
            for (index, action) in plan.actions.enumerated() {
                group.addTask {
                    let ended = await run(action, barrier: barrier)
                    await barrier.finish(index, succeeded: ended.outcome == .done)
                    return (index, ended)
                }
            }
            return await group.reduce(into: [Int: PerformedAction]()) { $0[$1.0] = $1.1 }
        }
        try Task.checkCancellation()
        return plan.actions.indices.compactMap { ended[$0] }
    }

    private func run(_ action: Action, barrier: DependencyBarrier) async -> PerformedAction {
        guard await barrier.pass(action.after), !Task.isCancelled else {
            return end(PerformedAction(action: action, outcome: .skipped, milliseconds: 0))
        }
        let clock = ContinuousClock()
        let start = clock.now
        report(.began(action))
        var failure: (text: String, code: BottleError.Code?)?
        do {
            try await perform(action) {
                guard await barrier.pass(action.startsAfter) else { throw DependencyFailed() }
                try Task.checkCancellation()
            }
        } catch {
            failure = ("\(error)", (error as? BottleError)?.code)
        }
        let spent = start.duration(to: clock.now)
        return end(
            PerformedAction(
                action: action,
                outcome: failure == nil ? .done : .failed,
                milliseconds: Int(spent / .milliseconds(1)),
                error: failure?.text,
                code: failure?.code
            )
        )
    }

    private func end(_ performed: PerformedAction) -> PerformedAction {
        report(.ended(performed))
        return performed
    }
}
