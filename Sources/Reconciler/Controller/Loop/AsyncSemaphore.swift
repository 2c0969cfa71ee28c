/// A FIFO counting semaphore.
package actor AsyncSemaphore {
    private var free: Int
    private var waiting: [(number: UInt64, turn: AsyncStream<Void>.Continuation)] = []
    private var numbers: UInt64 = 0
    private var isClosed = false

    /// - Parameter limit: the number of permits; at least one.
    package init(limit: Int) { free = max(limit, 1) }

    /// Runs `body` while holding a permit.
    ///
    /// - Throws: `CancellationError` when the task was cancelled or the semaphore closed before `body` began; what
    ///   `body` throws.
    package nonisolated func withPermit<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await acquire()
        let result: Result<Value, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        await release()
        return try result.get()
    }

    /// Waits for a permit.
    ///
    /// The caller must call `release` afterwards.
    /// - Throws: `CancellationError` when the task was cancelled or the semaphore closed first.
    package func acquire() async throws {
        try Task.checkCancellation()
        guard !isClosed else { throw CancellationError() }
        guard free == 0 else {
            free -= 1
            return
        }
        let (turns, turn) = AsyncStream<Void>.makeStream()
        numbers += 1
        let number = numbers
        waiting.append((number, turn))
        for await _ in turns {}
        // A waiter that is still queued got no permit: its task was cancelled, or the semaphore was closed.
        guard let index = waiting.firstIndex(where: { $0.number == number }) else { return }
        waiting.remove(at: index)
        throw CancellationError()
    }

    /// Returns a permit; the first waiter gets it.
    package func release() {
        guard !isClosed, !waiting.isEmpty else {
            free += 1
            return
        }
        waiting.removeFirst().turn.finish()
    }

    /// Hands out no more permits; every waiter gets `CancellationError`.
    package func close() {
        isClosed = true
        for (_, turn) in waiting { turn.finish() }
    }
}
