package import ReconcilerEngine
package import ReconcilerTime
import Synchronization

/// The latest inventory, shared by passes that begin together.
///
/// It is good enough to find that there is nothing to do. A pass that acts takes its own inventory.
package final class InventoryCache: Sendable {
    private struct Taken: Sendable {
        /// When it was asked for: it may lack what happened later.
        var moment: ContinuousClock.Instant
        var inventory: Inventory
    }

    private let latest = Mutex<Taken?>(nil)
    private let lifetime: Duration
    private let time: TimeSource

    /// - Parameter lifetime: the longest time that an inventory is used.
    package init(lifetime: Duration = .seconds(10), time: TimeSource = .system) {
        self.lifetime = lifetime
        self.time = time
    }

    /// Takes an inventory and caches it.
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

    /// An inventory that has everything that happened up to `moment`; nil if there is none or it is too old.
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
