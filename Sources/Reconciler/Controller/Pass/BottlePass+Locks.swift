import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState

/// The locks of a pass.
extension BottlePass {
    /// Runs `body` with this pass while holding the bottle's lock.
    ///
    /// If we had to wait for the lock, ignore inventories taken earlier: its last holder may have changed the engine.
    func underOwnLock<Value>(_ body: (BottlePass) async throws -> Value) async throws -> Value {
        try Task.checkCancellation()
        let lock = installation.state.lock(of: identity)
        if let held = try lock.tryAcquire() {
            defer { extendLifetime(held) }
            return try await body(self)
        }
        return try await underLock(lock) {
            var pass = self
            pass.inventories?.since = .now
            return try await body(pass)
        }
    }

    /// Runs `body` while holding a lock, and says so when that takes a while.
    ///
    /// - Parameter pause: between two attempts to take the lock, once the wait is long.
    /// - Throws: `FileLock.TimedOut` after ten minutes, as `BottleError` `busy`.
    func underLock<Value>(
        _ lock: FileLock,
        lookingEvery pause: Duration = .milliseconds(20),
        _ body: () async throws -> Value
    ) async throws -> Value {
        var held: FileLock.Held?
        do {
            held = try await lock.acquire(wait: .seconds(1), time: time)
        } catch let timeout as FileLock.TimedOut {
            report(identity, .waiting(timeout.holder.map { "process \($0)" } ?? "another process"))
        }
        do {
            let held =
                if let held { held } else {
                    try await lock.acquire(wait: .seconds(600), longestPause: pause, time: time)
                }
            defer { extendLifetime(held) }
            return try await body()
        } catch let timeout as FileLock.TimedOut {
            throw BottleError(
                .busy,
                "another process has held the lock for ten minutes",
                at: lock.path,
                remedy: timeout.holder.map { "look what process \($0) does; the lock goes with it" },
                cause: "\(timeout)"
            )
        }
    }
}
