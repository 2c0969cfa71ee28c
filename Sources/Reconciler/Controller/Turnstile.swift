/// Lets so many be inside at once; who comes later waits in the order of coming.
package actor Turnstile {
    private var free: Int
    private var waiting: [(number: UInt64, turn: AsyncStream<Void>.Continuation)] = []
    private var numbers: UInt64 = 0
    private var isClosed = false

    /// - Parameter limit: how many may be inside; at least one.
    package init(limit: Int) { free = max(limit, 1) }

    /// Runs `body` inside.
    ///
    /// - Throws: `CancellationError` when the task was cancelled or the turnstile closed before `body` began; what `body`
    ///   throws.
    package nonisolated func pass<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await enter()
        let result: Result<Value, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        await leave()
        return try result.get()
    }

    /// Goes in, as soon as that is possible; `leave` must follow.
    ///
    /// - Throws: `CancellationError` when the task was cancelled or the turnstile closed before.
    package func enter() async throws {
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
        // Whoever is still in the line was not let in: its task was cancelled, or nobody is let in any more.
        guard let place = waiting.firstIndex(where: { $0.number == number }) else { return }
        waiting.remove(at: place)
        throw CancellationError()
    }

    /// Goes out, and lets the next one in.
    package func leave() {
        guard !isClosed, !waiting.isEmpty else {
            free += 1
            return
        }
        waiting.removeFirst().turn.finish()
    }

    /// Lets nobody in any more; those who wait are sent away.
    package func close() {
        isClosed = true
        for (_, turn) in waiting { turn.finish() }
    }
}
