/// When the dispatcher is woken without being asked; pure.
///
/// What is due in a month must not sleep for a month beside all that comes earlier: few sleep at any time, however often
/// the queue changes meanwhile, and none for long. To be woken early does no harm.
package struct WakeTimer: Sendable {
    /// The longest that one sleeps.
    package static let longest = Duration.seconds(60)

    /// The moments until which somebody sleeps.
    private var moments: [Duration] = []

    package init() {}

    /// Sees to it that somebody wakes at `due`, or a minute from now where that is earlier.
    ///
    /// - Returns: until when the caller has one sleep more; nil: one that sleeps already wakes early enough.
    package mutating func set(for due: Duration, now: Duration) -> Duration? {
        let moment = min(due, now + Self.longest)
        guard moments.allSatisfy({ moment < $0 }) else { return nil }
        moments.append(moment)
        return moment
    }

    /// Takes note that one who slept until `moment` is awake.
    package mutating func rang(at moment: Duration) { moments.removeAll { $0 <= moment } }

    /// How many sleep.
    package var sleepers: Int { moments.count }
}
