package import ReconcilerModel
package import ReconcilerPlatform

/// Decides which bottle gets a pass next.
///
/// A queue of names, each waiting at most once and under way at most once. A name says nothing about why it is queued:
/// a pass looks for itself. Times are durations since a fixed moment; the queue has no clock. Pure: the controller
/// performs what it says.
package struct WorkQueue: Sendable {
    /// How a pass ended, as far as the queue cares.
    package enum Ending: Sendable, Hashable {
        case converged
        /// Nothing to do before this moment.
        case waiting(until: Duration)
        /// No pass before this moment, unless it is asked for urgently.
        case resting(until: Duration)
        case retry
        /// Nothing to do before something changes.
        case stalled
    }

    private struct Entry {
        /// When its next pass may begin; nil: none is wanted.
        var due: Duration?
        var isUnderWay = false
        /// Whether its pass has released its slot.
        var isAside = false
        /// Asked for urgently while it was under way: that pass's failure does not delay the next.
        var isUrgent = false
        var failures = 0
        /// No pass before this moment, unless it is asked for urgently.
        var rest: Duration?
        /// Its position in the order of arrival.
        var order: UInt64 = 0
    }

    private let limit: Int
    private let backoff: Backoff
    private var entries: [Identity: Entry] = [:]
    private var orders: UInt64 = 0
    /// The bottles whose passes want a slot again, in the order in which they asked.
    private var returning: [Identity] = []

    /// - Parameter limit: the number of slots.
    package init(limit: Int, backoff: Backoff) {
        self.limit = max(limit, 1)
        self.backoff = backoff
    }

    /// The number of passes under way, with those that released their slot.
    package var underWay: Int { entries.values.count { $0.isUnderWay } }

    /// Whether a slot is free.
    private var hasRoom: Bool { entries.values.count { $0.isUnderWay && !$0.isAside } < limit }

    /// The number of bottles that wait for a pass, with those that are not due yet.
    package var waiting: Int { entries.values.count { $0.due != nil } }

    /// Whether nothing waits and nothing is under way.
    package var isIdle: Bool { entries.values.allSatisfy { !$0.isUnderWay && $0.due == nil } }

    /// Asks for a pass.
    ///
    /// - Parameters:
    ///   - delay: how long to wait for more of the same. It never delays a bottle that waits already.
    ///   - isUrgent: a person asked, or a common cause of failures is over. Earlier failures don't count then.
    package mutating func add(_ bottle: Identity, now: Duration, delay: Duration = .zero, isUrgent: Bool = false) {
        var entry = entries[bottle] ?? Entry()
        if isUrgent {
            entry.failures = 0
            entry.rest = nil
            entry.isUrgent = entry.isUnderWay
        }
        if entry.due == nil {
            orders += 1
            entry.order = orders
        }
        let due = max(now + delay, entry.rest ?? now)
        entry.due = min(entry.due ?? due, due)
        if isUrgent { entry.due = min(entry.due ?? due, now + delay) }
        entries[bottle] = entry
    }

    /// The bottle whose pass begins now; nil if none is due or no slot is free.
    package mutating func next(now: Duration) -> Identity? {
        guard hasRoom else { return nil }
        let ready = entries.filter { !$0.value.isUnderWay && ($0.value.due.map { $0 <= now } ?? false) }
        guard let bottle = ready.min(by: { $0.value.order < $1.value.order })?.key else { return nil }
        entries[bottle]?.due = nil
        entries[bottle]?.isUnderWay = true
        entries[bottle]?.isUrgent = false
        return bottle
    }

    /// When `next` should be asked again; nil: only after something was added or ended.
    package var nextDue: Duration? {
        guard hasRoom else { return nil }
        return entries.values.filter { !$0.isUnderWay }.compactMap(\.due).min()
    }

    // MARK: - Aside

    /// Releases the slot of a pass that does nothing on the engine for a while.
    package mutating func stepAside(_ bottle: Identity) {
        guard entries[bottle]?.isUnderWay == true else { return }
        entries[bottle]?.isAside = true
    }

    /// Queues a pass that released its slot for a new one.
    package mutating func wantsBack(_ bottle: Identity) {
        guard isAside(bottle), !returning.contains(bottle) else { return }
        returning.append(bottle)
    }

    /// The bottle whose pass gets a slot again; nil if none wants one or none is free.
    ///
    /// Call it before `next`, so that passes end before others begin.
    package mutating func nextBack() -> Identity? {
        guard hasRoom, !returning.isEmpty else { return nil }
        let bottle = returning.removeFirst()
        entries[bottle]?.isAside = false
        return bottle
    }

    /// Whether the bottle's pass is under way without a slot.
    package func isAside(_ bottle: Identity) -> Bool { entries[bottle]?.isAside == true }

    // MARK: - Ending

    /// Records how a pass ended, with or without a slot.
    ///
    /// - Parameter jitter: at random, from 0 to 1.
    package mutating func ended(_ bottle: Identity, _ ending: Ending, now: Duration, jitter: Double) {
        guard var entry = entries[bottle], entry.isUnderWay else { return }
        entry.isUnderWay = false
        entry.isAside = false
        returning.removeAll { $0 == bottle }
        switch ending {
        case .converged, .stalled:
            entry.failures = 0
            entry.rest = nil
        case .waiting(let moment):
            entry.failures = 0
            entry.rest = nil
            entry.due = min(entry.due ?? moment, moment)
        case .resting(let moment) where entry.isUrgent:
            entry.failures = 0
            entry.due = min(entry.due ?? moment, moment)
        case .resting(let moment):
            entry.failures = 0
            entry.rest = moment
            entry.due = moment
        case .retry where entry.isUrgent:
            entry.failures = 1
        case .retry:
            entry.failures += 1
            let rest = now + backoff.delay(failures: entry.failures, jitter: jitter)
            entry.rest = rest
            entry.due = rest
        }
        if entry.due != nil, entry.order == 0 {
            orders += 1
            entry.order = orders
        }
        entry.isUrgent = false
        entries[bottle] = entry.due == nil && entry.failures == 0 ? nil : entry
    }
}
