/// How long to wait after failures in a row: exponential, bounded, and never the same for many at once.
package struct Backoff: Sendable, Hashable {
    package var base: Duration
    package var cap: Duration

    package init(base: Duration = .seconds(1), cap: Duration = .seconds(300)) {
        self.base = base
        self.cap = cap
    }

    /// The delay after so many failures in a row (1 or more): between half and all of `base` × 2^(failures − 1), at
    /// most `cap`.
    ///
    /// - Parameter jitter: at random, from 0 to 1.
    package func delay(failures: Int, jitter: Double) -> Duration {
        let doublings = min(max(failures - 1, 0), 30)
        let whole = min(base * (1 << doublings), cap)
        return whole * (0.5 + 0.5 * min(max(jitter, 0), 1))
    }
}
