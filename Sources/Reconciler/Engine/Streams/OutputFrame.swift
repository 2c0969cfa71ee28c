import ReconcilerTime

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
