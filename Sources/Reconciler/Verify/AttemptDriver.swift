import FoundationEssentials
import NIOCore

/// Makes attempts on real sockets and says what came of them.
package struct AttemptDriver: Sendable {
    /// How long anything may take.
    package struct Limits: Sendable, Hashable, Codable {
        /// Milliseconds that an answer or an end may take; what takes longer hangs.
        package var receive = 5_000
        /// Milliseconds that a connection may take.
        package var connect = 5_000
        /// Milliseconds that the other side may take to accept what is sent.
        package var send = 2_000
        /// Milliseconds in which nothing comes that count as silence.
        package var silence = 1_000

        package init() {}
    }

    let proxy: Endpoint
    let limits: Limits

    /// - Parameter proxy: the sidecar that faces the agent.
    package init(proxy: Endpoint, limits: Limits = Limits()) {
        self.proxy = proxy
        self.limits = limits
    }

    /// Makes an attempt, in which nothing stands for anything else any more; every socket is closed when it returns.
    package func perform(_ attempt: Attempt) async -> Observation {
        var run = AttemptRun(driver: self, name: attempt.name)
        for step in attempt.steps {
            guard await run.perform(step) else { break }
        }
        return await run.finish()
    }

    static func now() -> Double { Date().timeIntervalSince1970 }
}
