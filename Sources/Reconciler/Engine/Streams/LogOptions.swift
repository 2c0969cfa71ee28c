package import ReconcilerTime

/// Which of a container's output to read, and how.
package struct LogOptions: Sendable, Hashable {
    /// Whether to follow the log.
    package var follow: Bool
    /// The start.
    package var since: Timestamp?
    /// The end.
    package var until: Timestamp?
    /// How many lines from the end; all if absent.
    package var tail: Int?
    /// Whether each line begins with its time.
    package var timestamps: Bool
    /// Whether the container has a terminal; then its output is not framed.
    package var tty: Bool

    /// Options; by default the whole log so far.
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
