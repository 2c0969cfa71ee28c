import ReconcilerModel
import ReconcilerPlatform
package import ReconcilerTime
import Synchronization

/// Logs each event as one JSON line, rate limited so that an agent can't flood the log.
package final class EventLog: Sendable {
    private struct Pace {
        var lines = TokenBucket(limit: 50, interval: .milliseconds(100))
        var dropped = 0
    }

    private let pace = Mutex(Pace())
    private let time: TimeSource
    private let origin: ContinuousClock.Instant
    private let write: @Sendable (String) -> Void

    /// - Parameter write: writes a line; it comes without a line break.
    package init(time: TimeSource, _ write: @escaping @Sendable (String) -> Void) {
        self.time = time
        origin = time.instant()
        self.write = write
    }

    /// Logs an event; the members are our own words, ids and numbers, never an agent's text.
    func event(_ name: String, _ members: [(String, FlatJSON.Value)] = []) {
        let elapsed = time.instant() - origin
        let dropped: Int? = pace.withLock { pace in
            guard pace.lines.take(at: elapsed) else {
                pace.dropped += 1
                return nil
            }
            defer { pace.dropped = 0 }
            return pace.dropped
        }
        guard let dropped else { return }
        var line: [(String, FlatJSON.Value)] = [("time", .text(time.now().description)), ("event", .text(name))]
        if dropped > 0 { line.append(("unsaid", .number(dropped))) }
        write(FlatJSON.line(line + members))
    }
}

extension EventLog {
    /// Logs the address on which the server listens.
    package func listening(at address: String) { event("listening", [("address", .text(address))]) }
}
