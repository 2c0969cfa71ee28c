import ReconcilerEngine
package import ReconcilerTime

/// How far a container's log has been read: what is before it is known, what comes after it is not.
///
/// The engine gives each line the time at which it read it, to the nanosecond and in order; of lines with one time the
/// number that were read tells where to go on.
package struct LogPosition: Sendable, Hashable {
    /// The time of the last line that was read.
    package var time: Timestamp
    /// How many lines with exactly this time were read.
    package var lines: Int

    package init(time: Timestamp, lines: Int) {
        self.time = time
        self.lines = lines
    }
}

/// Takes a container's standard output apart into lines with their times, from a position on.
struct LogLineReader {
    struct Line: Sendable {
        /// Nil for one that is longer than any a sidecar writes.
        var bytes: [UInt8]?
    }

    private(set) var position: LogPosition?
    /// Where to begin; nil once that is passed.
    private var resume: LogPosition?
    private var passed = 0
    private var pending: [UInt8] = []
    private var isTooLong = false

    /// - Parameter position: what was read already; the log must be read from its time on, with timestamps.
    init(from position: LogPosition?) {
        self.position = position
        resume = position
    }

    private static let timeLimit = 64

    /// The lines that `frame` completes.
    mutating func take(_ frame: OutputFrame) -> [Line] {
        // Faults and notes go to standard error; refusals don't.
        guard frame.channel == .output else { return [] }
        var lines: [Line] = []
        var rest = frame.bytes[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let piece = rest[..<(end ?? rest.endIndex)]
            rest = rest[piece.endIndex...]
            if !isTooLong {
                pending += piece.prefix(SidecarLine.limit + Self.timeLimit + 1 - pending.count)
                isTooLong = pending.count > SidecarLine.limit + Self.timeLimit
            }
            guard end != nil else { break }
            rest = rest.dropFirst()
            if let line = finish() { lines.append(line) }
            pending.removeAll(keepingCapacity: true)
            isTooLong = false
        }
        return lines
    }

    private mutating func finish() -> Line? {
        let head = pending.prefix(Self.timeLimit).prefix { $0 != UInt8(ascii: " ") }
        guard let time = Timestamp(rfc3339: String(decoding: head, as: UTF8.self)) else { return nil }
        guard !isKnown(time) else { return nil }
        if let last = position, time <= last.time {
            // A clock that was put back: what is told at its former times is not read again later.
            if time == last.time { position?.lines += 1 }
        } else {
            position = LogPosition(time: time, lines: 1)
        }
        return Line(bytes: isTooLong ? nil : Array(pending.dropFirst(head.count + 1)))
    }

    /// Whether the line at `time` was read before the position was kept.
    private mutating func isKnown(_ time: Timestamp) -> Bool {
        guard let resume else { return false }
        if time < resume.time { return true }
        if time == resume.time, passed < resume.lines {
            passed += 1
            return true
        }
        self.resume = nil
        return false
    }
}
