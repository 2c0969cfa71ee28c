package import ReconcilerTime

/// Bytes written by a process, in the order in which the engine read them.
package struct OutputFrame: Sendable, Hashable {
    /// The channel on which the process wrote them.
    package enum Channel: UInt8, Sendable, Hashable {
        case input = 0
        case output = 1
        case errors = 2
    }

    /// Standard output or standard error; a terminal combines both in `.output`.
    package var channel: Channel
    /// The bytes, which may begin and end in the middle of a line.
    package var bytes: [UInt8]

    /// Some output.
    package init(_ channel: Channel, _ bytes: [UInt8]) {
        self.channel = channel
        self.bytes = bytes
    }
}

/// Which of a container's output to read, and how.
package struct LogOptions: Sendable, Hashable {
    /// Whether to stay for what comes later.
    package var follow: Bool
    /// From when on.
    package var since: Timestamp?
    /// Until when.
    package var until: Timestamp?
    /// How many lines from the end; all when absent.
    package var tail: Int?
    /// Whether each line begins with its time.
    package var timestamps: Bool
    /// Whether the container has a terminal: its output is then not framed.
    package var tty: Bool

    /// What to read; by default all that is there.
    package init(
        follow: Bool = false,
        since: Timestamp? = nil,
        until: Timestamp? = nil,
        tail: Int? = nil,
        timestamps: Bool = false,
        tty: Bool = false
    ) {
        self.follow = follow
        self.since = since
        self.until = until
        self.tail = tail
        self.timestamps = timestamps
        self.tty = tty
    }
}

/// What a finished command left.
package struct ExecResult: Sendable, Hashable {
    /// Its output, from the start to the limit.
    package var output: [UInt8]
    /// Its error output, from the start to the limit.
    package var errors: [UInt8]
    /// Whether more came than the limit let through.
    package var isTruncated: Bool
    /// Its exit code.
    package var exitCode: Int

    /// A command's result.
    package init(output: [UInt8] = [], errors: [UInt8] = [], isTruncated: Bool = false, exitCode: Int = 0) {
        self.output = output
        self.errors = errors
        self.isTruncated = isTruncated
        self.exitCode = exitCode
    }
}
