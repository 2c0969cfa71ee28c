import ReconcilerPlatform

/// Tells one pass from every other, in logs, results and what `describe` shows.
package struct PassID: Sendable, Hashable, CustomStringConvertible {
    /// Eight hexadecimal digits.
    package let description: String

    private init(_ text: String) { description = text }

    package static func random() -> PassID { PassID(String(POSIX.randomHexadecimal().prefix(8))) }
}
