/// Work for a driver inside a container: attempts, then a scan.
package struct AttemptBatch: Sendable, Hashable, Codable {
    /// The sidecar that faces the agent; nil when there are no attempts.
    package var proxy: Endpoint?
    package var attempts: [Attempt]
    package var scan: PortScan?
    package var limits: AttemptDriver.Limits
    /// Milliseconds between two attempts, so that what one leaves behind in the logs is not taken for the next one's.
    package var gap: Int

    package init(
        proxy: Endpoint? = nil,
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

    /// Does all of it, one after another, and reports each as soon as it is over.
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

/// One line of what a driver says.
package enum AttemptReport: Sendable, Hashable, Codable {
    case attempt(Observation)
    case scan(PortScan.Findings)
}
