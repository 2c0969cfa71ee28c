import Reconciler
import Testing

extension Controller {
    /// Runs `body` beside it, then stops it.
    nonisolated func whileRunning(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.run() }
            try await body()
            await stop()
            try await group.waitForAll()
        }
    }
}

/// Asks until the answer is yes; an issue when it isn't in two minutes.
func eventually(
    _ what: Comment,
    sourceLocation: Testing.SourceLocation = #_sourceLocation,
    _ ask: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    while ContinuousClock.now < deadline {
        if try await ask() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record(what, sourceLocation: sourceLocation)
    throw CancellationError()
}
