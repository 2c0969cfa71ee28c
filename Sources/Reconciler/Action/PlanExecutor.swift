package import ReconcilerModel

/// Runs a plan: independent actions side by side, and no action that depends on a failed one.
package struct PlanExecutor: Sendable {
    private let perform: @Sendable (Action, _ mayStart: @Sendable () async throws -> Void) async throws -> Void
    private let report: @Sendable (PassProgress) -> Void

    /// - Parameter perform: performs one action. Before it starts a container that it created, it calls its second
    ///   argument, which returns when everything is done that the start depends on.
    package init(
        perform: @escaping @Sendable (Action, _ mayStart: @Sendable () async throws -> Void) async throws -> Void,
        report: @escaping @Sendable (PassProgress) -> Void
    ) {
        self.perform = perform
        self.report = report
    }

    /// The error of a start that depended on something that failed.
    package struct DependencyFailed: Error, CustomStringConvertible {
        package var description: String { "something it depends on failed" }
    }

    /// Performs the whole plan.
    ///
    /// - Returns: every action in the plan's order, with what became of it. Failures are returned, not thrown.
    /// - Throws: `CancellationError`, after all begun actions have ended.
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
