import ReconcilerModel

/// Passes that step aside while they bring images, so that they hold up nobody who does not need one.
extension Controller {
    func place(of bottle: Identity) -> PassPlace {
        PassPlace(
            leave: { await self.stepAside(bottle) },
            comeBack: { try await self.comeBack(bottle) },
            builds: builds
        )
    }

    private func stepAside(_ bottle: Identity) {
        queue.stepAside(bottle)
        wake.yield()
    }

    private func comeBack(_ bottle: Identity) async throws {
        let (turns, turn) = AsyncStream<Void>.makeStream()
        returns[bottle] = turn
        queue.wantsBack(bottle)
        wake.yield()
        for await _ in turns {}
        returns[bottle] = nil
        // Whoever has no place yet was not let back: its task was cancelled.
        guard !queue.isAside(bottle) else { throw CancellationError() }
    }

    /// Lets those go on that there is a place for.
    func letBack() {
        while let bottle = queue.nextBack() { returns[bottle]?.finish() }
    }
}
