import FoundationEssentials
import NIOCore

/// Makes attempts over real sockets and reports the results.
package struct AttemptDriver: Sendable {
    /// Time limits.
    package struct Limits: Sendable, Hashable, Codable {
        /// Milliseconds to wait for an answer or an end; after that the attempt counts as hung.
        package var receive = 5_000
        /// Milliseconds to wait for a connection.
        package var connect = 5_000
        /// Milliseconds to wait until the other side accepts what is sent.
        package var send = 2_000
        /// Milliseconds without bytes that count as silence.
        package var silence = 1_000

        package init() {}
    }

    let proxy: HostPort
    let limits: Limits

    /// - Parameter proxy: the sidecar that faces the agent.
    package init(proxy: HostPort, limits: Limits = Limits()) {
        self.proxy = proxy
        self.limits = limits
    }

    /// Makes an attempt whose placeholders are all filled in; closes every socket before it returns.
    package func perform(_ attempt: Attempt) async -> Observation {
        var run = AttemptRun(driver: self, name: attempt.name)
        for step in attempt.steps {
            guard await run.perform(step) else { break }
        }
        return await run.finish()
    }

    static func now() -> Double { Date().timeIntervalSince1970 }
}
