/// An error that a person can act on: what, where, what to do next, and the cause underneath.
package struct BottleError: Error, Sendable, CustomStringConvertible {
    package var code: Code
    package var message: String
    /// The object, file or address it is about.
    package var location: String?
    /// What to do next.
    package var remedy: String?
    /// The words of what refused underneath, unchanged.
    package var cause: String?

    package init(
        _ code: Code,
        _ message: String,
        at location: String? = nil,
        remedy: String? = nil,
        cause: String? = nil
    ) {
        self.code = code
        self.message = message
        self.location = location
        self.remedy = remedy
        self.cause = cause
    }

    package var description: String {
        var text = message
        if let location { text = "\(location): \(text)" }
        if let cause { text += ": \(cause)" }
        if let remedy { text += "\n  \(remedy)" }
        return text
    }
}
