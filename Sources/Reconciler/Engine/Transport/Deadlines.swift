import NIOCore

/// How long an exchange waits for the engine; nil waits for ever.
struct Deadlines: Sendable, Hashable {
    /// From the request, or the last part of it that the engine took, to the answer: to its head when the body is
    /// streamed, else to its end.
    var answer: TimeAmount?
    /// From one part of a streamed body to the next, while the reader wants more.
    var idle: TimeAmount?

    static let none = Deadlines()
}

extension TimeAmount {
    /// As a person reads it: seconds, below one milliseconds.
    var words: String {
        let milliseconds = nanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
    }
}
