/// The delay after consecutive failures: exponential, capped, and jittered so that many don't retry at once.
package struct Backoff: Sendable, Hashable {
    package var base: Duration
    package var cap: Duration

    package init(base: Duration = .seconds(1), cap: Duration = .seconds(300)) {
        self.base = base
        self.cap = cap
    }

    /// The delay after `failures` consecutive failures (1 or more).
    ///
    /// It lies between half and all of `base` × 2^(failures − 1), and is at most `cap`.
    ///
    /// - Parameter jitter: a random number from 0 to 1.
    package func delay(failures: Int, jitter: Double) -> Duration {
        let doublings = min(max(failures - 1, 0), 30)
        let whole = min(base * (1 << doublings), cap)
        return whole * (0.5 + 0.5 * min(max(jitter, 0), 1))
    }
}
