import ReconcilerModel
import ReconcilerPlatform
package import ReconcilerTime
import Synchronization

/// One JSON line an event; an agent that makes events fast gets few lines.
package final class EventLog: Sendable {
    private struct Pace {
        var allowance = 50.0
        var at = ContinuousClock.now
        var dropped = 0
    }

    private let pace = Mutex(Pace())
    private let write: @Sendable (String) -> Void

    private let now: @Sendable () -> Timestamp

    /// - Parameter write: takes a line without its line break.
    package init(now: @escaping @Sendable () -> Timestamp, _ write: @escaping @Sendable (String) -> Void) {
        self.now = now
        self.write = write
    }

    /// Tells an event; the members are words of ours, ids and numbers, never an agent's text.
    func event(_ name: String, _ members: [(String, FlatJSON.Value)] = []) {
        let dropped: Int? = pace.withLock { pace in
            let instant = ContinuousClock.now
            pace.allowance = min(50, pace.allowance + (instant - pace.at) / .milliseconds(100))
            pace.at = instant
            guard pace.allowance >= 1 else {
                pace.dropped += 1
                return nil
            }
            pace.allowance -= 1
            defer { pace.dropped = 0 }
            return pace.dropped
        }
        guard let dropped else { return }
        var line: [(String, FlatJSON.Value)] = [("time", .text(now().description)), ("event", .text(name))]
        if dropped > 0 { line.append(("unsaid", .number(dropped))) }
        write(FlatJSON.line(line + members))
    }
}

extension EventLog {
    /// Says where is listened.
    package func listening(at address: String) { event("listening", [("address", .text(address))]) }
}
