import ReconcilerModel

/// Passes that give up their slot while they get images, so that other bottles can use it.
extension Controller {
    func slot(of bottle: Identity) -> PassSlot {
        PassSlot(
            release: { await self.releaseSlot(of: bottle) },
            reacquire: { try await self.reacquireSlot(of: bottle) },
            builds: builds
        )
    }

    private func releaseSlot(of bottle: Identity) {
        queue.stepAside(bottle)
        wake.yield()
    }

    private func reacquireSlot(of bottle: Identity) async throws {
        let (turns, turn) = AsyncStream<Void>.makeStream()
        returns[bottle] = turn
        queue.wantsBack(bottle)
        wake.yield()
        for await _ in turns {}
        returns[bottle] = nil
        // Without a slot the stream ended because the task was cancelled.
        guard !queue.isAside(bottle) else { throw CancellationError() }
    }

    /// Gives the free slots to the passes that wait to go on.
    func resumeWaiting() {
        while let bottle = queue.nextBack() { returns[bottle]?.finish() }
    }
}
