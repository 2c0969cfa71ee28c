import Reconciler
import Testing

@Suite("A semaphore")
struct AsyncSemaphoreTests {
    /// Counts who is behind the semaphore.
    private actor Room {
        private(set) var inside = 0
        private(set) var most = 0
        private(set) var left = 0

        func enter() {
            inside += 1
            most = max(most, inside)
        }

        func leave() {
            inside -= 1
            left += 1
        }
    }

    /// Stays until it is let go.
    private struct Stay: Sendable {
        private let held = AsyncStream<Void>.makeStream()

        func letGo() { held.continuation.finish() }
        func end() async { for await _ in held.stream {} }
    }

    @Test("lets as many in as it may and no more, and then the others one by one", .timeLimit(.minutes(5)))
    func limit() async throws {
        let semaphore = AsyncSemaphore(limit: 2)
        let room = Room()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await semaphore.withPermit {
                        await room.enter()
                        for _ in 0..<10 { await Task.yield() }
                        await room.leave()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(await room.inside == 0)
        #expect(await room.most == 2)
        #expect(await room.left == 50)
    }

    @Test("is free again after one that failed", .timeLimit(.minutes(5)))
    func failure() async throws {
        struct Failed: Error {}
        let semaphore = AsyncSemaphore(limit: 1)
        await #expect(throws: Failed.self) { try await semaphore.withPermit { throw Failed() } }
        #expect(try await semaphore.withPermit { 1 } == 1)
    }

    @Test("is left by a cancelled task without a turn of its own being lost", .timeLimit(.minutes(5)))
    func cancellation() async throws {
        let semaphore = AsyncSemaphore(limit: 1)
        for _ in 0..<200 {
            let stay = Stay()
            try await semaphore.acquire()
            // Whether it is cancelled before, while or after it is let in differs from one time to the next.
            let waiter = Task { try await semaphore.withPermit { await stay.end() } }
            await Task.yield()
            let leaver = Task { await semaphore.release() }
            waiter.cancel()
            stay.letGo()
            await leaver.value
            _ = await waiter.result
            #expect(try await semaphore.withPermit { true })
        }
    }

    @Test("that is closed lets no task in, not even one that waits; those inside go on", .timeLimit(.minutes(5)))
    func closed() async throws {
        let semaphore = AsyncSemaphore(limit: 1)
        try await semaphore.acquire()
        let waiters = (0..<5).map { _ in Task { try await semaphore.withPermit {} } }
        for _ in 0..<20 { await Task.yield() }
        await semaphore.close()
        for waiter in waiters { await #expect(throws: CancellationError.self) { try await waiter.value } }
        await semaphore.release()
        await #expect(throws: CancellationError.self) { try await semaphore.acquire() }
    }
}
