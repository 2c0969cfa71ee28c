/// A token bucket: so many tokens at once, then one each interval; what is not taken comes back at the same pace.
///
/// Pure: moments are durations since any one moment.
package struct TokenBucket: Sendable, Hashable {
    /// How many tokens it holds when it is full.
    package let limit: Int
    /// Between tokens, once it is empty.
    package let interval: Duration
    /// When it is full again, if no more is taken; nil: it is full.
    private var full: Duration?

    /// A full bucket.
    ///
    /// - Parameter limit: 1 or more; less counts as 1.
    package init(limit: Int, interval: Duration) {
        self.limit = max(limit, 1)
        self.interval = interval
    }

    /// How many tokens are there.
    package func available(at now: Duration) -> Int {
        guard let full, full > now else { return limit }
        return max(0, limit - Int(((full - now) / interval).rounded(.up)))
    }

    /// Takes a token if there is one.
    package mutating func take(at now: Duration) -> Bool {
        guard available(at: now) > 0 else { return false }
        spend(at: now)
        return true
    }

    /// Takes as many tokens as there are, up to `count`; with fewer there it is empty then.
    package mutating func take(upTo count: Int, at now: Duration) {
        full = min(max(full ?? now, now) + interval * max(count, 0), now + interval * limit)
    }

    /// Takes a token whether there is one or not.
    ///
    /// - Returns: when the next one is there; nil: at once.
    @discardableResult
    package mutating func spend(at now: Duration) -> Duration? {
        let full = max(full ?? now, now) + interval
        self.full = full
        let next = full - interval * (limit - 1)
        return next > now ? next : nil
    }
}
