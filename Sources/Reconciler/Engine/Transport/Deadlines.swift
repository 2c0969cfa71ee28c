import NIOCore

/// Time limits of an exchange; nil is no limit.
struct Deadlines: Sendable, Hashable {
    /// From the request, or the last part of it that the engine accepted, to the answer: to its head if the body is
    /// streamed, else to its end.
    var answer: TimeAmount?
    /// Between two parts of a streamed body, while the reader wants more.
    var idle: TimeAmount?

    static let none = Deadlines()
}

extension TimeAmount {
    /// For people: in seconds, or in milliseconds below one second.
    var words: String {
        let milliseconds = nanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
    }
}
