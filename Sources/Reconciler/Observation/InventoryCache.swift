package import ReconcilerEngine
package import ReconcilerTime
import Synchronization

/// The engine's lists as somebody took them last, for passes that begin together.
///
/// Only good for the conclusion that nothing is to be done: what acts takes the lists itself.
package final class InventoryCache: Sendable {
    private struct Taken: Sendable {
        /// When they were asked for: what happened later may not be in them.
        var moment: ContinuousClock.Instant
        var inventory: Inventory
    }

    private let latest = Mutex<Taken?>(nil)
    private let lifetime: Duration
    private let time: TimeSource

    /// - Parameter lifetime: for how long lists are good, whatever nobody told of.
    package init(lifetime: Duration = .seconds(10), time: TimeSource = .system) {
        self.lifetime = lifetime
        self.time = time
    }

    /// Takes inventory, and keeps it for others.
    ///
    /// - Throws: `EngineError`.
    @discardableResult
    package func take(from engine: any EngineReading) async throws -> Inventory {
        let taken = Taken(moment: time.instant(), inventory: try await Inventory.take(from: engine))
        latest.withLock { latest in
            if latest.map({ $0.moment < taken.moment }) ?? true { latest = taken }
        }
        return taken.inventory
    }

    /// Lists that hold everything that happened up to `moment`; nil where there are none, or they are too old.
    package func inventory(since moment: ContinuousClock.Instant) -> Inventory? {
        latest.withLock { latest in
            guard let taken = latest else { return nil }
            guard taken.moment + lifetime > time.instant() else {
                latest = nil
                return nil
            }
            return taken.moment >= moment ? taken.inventory : nil
        }
    }
}
