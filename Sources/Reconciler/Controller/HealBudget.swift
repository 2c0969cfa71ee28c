/// How often a bottle is healed at once, before each further heal has to wait for the next.
///
/// Heals are on record for good. Whoever can end a sidecar again and again gets this many of them in a row, then one each
/// interval; what is not used comes back at the same pace. Pure: times are durations since any one moment.
package struct HealBudget: Sendable, Hashable {
    /// How many in a row.
    package let limit: Int
    /// Between heals, once the budget is spent.
    package let interval: Duration
    /// The moment at which all is there again, if nothing more is spent.
    private var whole: Duration?

    package init(limit: Int, interval: Duration) {
        self.limit = max(limit, 1)
        self.interval = interval
    }

    /// Takes note of a heal.
    ///
    /// - Returns: when the next one may be; nil: at once.
    package mutating func spend(at now: Duration) -> Duration? {
        let whole = max(whole ?? now, now) + interval
        self.whole = whole
        let next = whole - interval * (limit - 1)
        return next > now ? next : nil
    }
}
