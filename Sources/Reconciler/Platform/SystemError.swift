#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A failed system call, with the path it concerned and the system's own words.
package struct SystemError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was attempted, as a verb: `open`, `rename`.
    package let call: String
    package let path: String
    package let number: Int32

    package init(_ call: String, _ path: String, _ number: Int32) {
        self.call = call
        self.path = path
        self.number = number
    }

    /// The system's words for the error number.
    package var reason: String { unsafe String(cString: strerror(number)) }

    package var description: String { "can't \(call) \(path): \(reason)" }
}
