/// Decides when a timer must wake the dispatcher next.
///
/// Pure. It keeps few timers at any time, however often the queue changes, and none for long: a timer for something due
/// in a month must not sleep for a month. A wake that comes early does no harm.
package struct WakeTimer: Sendable {
    /// The longest time that a timer sleeps.
    package static let longest = Duration.seconds(60)

    /// The moments at which running timers ring.
    private var moments: [Duration] = []

    package init() {}

    /// Ensures that a timer rings at `due`, or a minute from now if that is earlier.
    ///
    /// - Returns: when a new timer must ring; nil: a running one rings early enough.
    package mutating func set(for due: Duration, now: Duration) -> Duration? {
        let moment = min(due, now + Self.longest)
        guard moments.allSatisfy({ moment < $0 }) else { return nil }
        moments.append(moment)
        return moment
    }

    /// Removes the timers that rang at `moment`.
    package mutating func rang(at moment: Duration) { moments.removeAll { $0 <= moment } }

    /// The number of running timers.
    package var sleepers: Int { moments.count }
}
