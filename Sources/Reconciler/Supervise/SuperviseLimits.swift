/// What bounds an agent, and whoever takes its place.
package struct SuperviseLimits: Sendable, Hashable {
    /// Connections that are served at once; further ones wait.
    package var connections = 160
    package var headBytes = 8 << 10
    package var fields = 64
    /// Bytes of a body: the largest argument and justification, each byte written as six.
    package var bodyBytes = 512 << 10
    /// How long a connection may be there without a whole head having come.
    package var silence: Duration = .seconds(10)
    /// How long a body may take to come, and a short answer to be taken.
    package var exchange: Duration = .seconds(20)
    /// Between two signs of life on a stream.
    package var pulse: Duration = .seconds(15)
    /// Between two looks at what the host says.
    package var look: Duration = .milliseconds(100)

    package var sessions = 160
    /// Calls that wait at once, over all sessions.
    package var calls = 128
    /// Proposals that wait for a decision.
    package var pending = 16
    /// Proposals whose files are in the queue, decided ones too; below what the host reads.
    package var queued = 48
    /// New proposals in a burst.
    package var burst = 20
    /// Seconds until one more is allowed.
    package var refill = 3.0
    /// Seconds for which a decision that was heard is the answer to the same call.
    package var memory: Int64 = 600
    /// Seconds after which a decision that nobody heard is forgotten.
    package var patience: Int64 = 7 * 24 * 60 * 60

    package init() {}
}
