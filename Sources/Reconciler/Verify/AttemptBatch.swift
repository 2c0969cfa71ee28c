/// Work for a driver inside a container: attempts, then a port scan.
package struct AttemptBatch: Sendable, Hashable, Codable {
    /// The sidecar that faces the agent; nil if there are no attempts.
    package var proxy: HostPort?
    package var attempts: [Attempt]
    package var scan: PortScan?
    package var limits: AttemptDriver.Limits
    /// Milliseconds between two attempts, so that late log lines of one are not assigned to the next.
    package var gap: Int

    package init(
        proxy: HostPort? = nil,
        attempts: [Attempt] = [],
        scan: PortScan? = nil,
        limits: AttemptDriver.Limits = AttemptDriver.Limits(),
        gap: Int = 20
    ) {
        self.proxy = proxy
        self.attempts = attempts
        self.scan = scan
        self.limits = limits
        self.gap = gap
    }

    /// Does all the work in sequence, and reports each result as soon as it is known.
    package func perform(_ report: (AttemptReport) throws -> Void) async throws {
        if let proxy {
            let driver = AttemptDriver(proxy: proxy, limits: limits)
            for attempt in attempts {
                try report(.attempt(await driver.perform(attempt)))
                try await Task.sleep(for: .milliseconds(gap))
            }
        }
        if let scan { try report(.scan(try await scan.run())) }
    }
}
