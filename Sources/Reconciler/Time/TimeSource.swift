import FoundationEssentials

/// The clocks that a program goes by: one that tells the time of day, and a monotonic one to measure and wait by.
///
/// What waits or compares times takes one, so that a test can set both clocks.
package struct TimeSource: Sendable {
    /// The time of day: somebody may set that clock, so nothing is measured by it.
    package let now: @Sendable () -> Timestamp
    /// The monotonic clock, which also counts while the machine sleeps.
    package let instant: @Sendable () -> ContinuousClock.Instant
    private let wait: @Sendable (ContinuousClock.Instant) async throws -> Void

    /// - Parameters:
    ///   - now: the time of day.
    ///   - instant: the monotonic clock.
    ///   - wait: returns once that clock has come to an instant; throws `CancellationError` when cancelled.
    package init(
        now: @escaping @Sendable () -> Timestamp,
        instant: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        wait: @escaping @Sendable (ContinuousClock.Instant) async throws -> Void = {
            try await Task.sleep(until: $0, clock: .continuous)
        }
    ) {
        self.now = now
        self.instant = instant
        self.wait = wait
    }

    /// The machine's clocks; the time of day to the second, as files tell it.
    package static let system = TimeSource(now: { Timestamp(seconds: Int64(Date().timeIntervalSince1970)) })

    /// Returns at an instant of the monotonic clock.
    ///
    /// - Throws: `CancellationError`.
    package func sleep(until instant: ContinuousClock.Instant) async throws { try await wait(instant) }

    /// Returns after a while by the monotonic clock.
    ///
    /// - Throws: `CancellationError`.
    package func sleep(for duration: Duration) async throws { try await wait(instant() + duration) }
}
