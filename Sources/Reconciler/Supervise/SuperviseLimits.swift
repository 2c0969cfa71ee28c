/// Limits on an agent, and on any other client in its place.
package struct SuperviseLimits: Sendable, Hashable {
    /// Connections served at once; further ones wait.
    package var connections = 160
    package var headBytes = 8 << 10
    package var fields = 64
    /// Bytes of a body: the largest argument and justification, with six bytes for each of theirs.
    package var bodyBytes = 512 << 10
    /// How long a connection may stay open without sending a whole head.
    package var silence: Duration = .seconds(10)
    /// How long receiving a body, or sending a short answer, may take.
    package var exchange: Duration = .seconds(20)
    /// The interval of keep-alives on a stream.
    package var pulse: Duration = .seconds(15)
    /// The interval at which the broker reads what the host wrote.
    package var look: Duration = .milliseconds(100)

    package var sessions = 160
    /// Calls waiting at once, over all sessions.
    package var calls = 128
    /// Proposals waiting for a decision.
    package var pending = 16
    /// Proposals with files in the queue, decided ones included; fewer than the host reads.
    package var queued = 48
    /// New proposals allowed in a burst.
    package var burst = 20
    /// Seconds until one more is allowed.
    package var refill = 3.0
    /// Seconds for which a heard decision answers the same call.
    package var memory: Int64 = 600
    /// Seconds after which an unheard decision is forgotten.
    package var patience: Int64 = 7 * 24 * 60 * 60

    package init() {}
}
