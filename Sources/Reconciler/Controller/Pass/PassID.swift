import ReconcilerPlatform

/// The unique id of a pass, in logs, results and `describe`.
package struct PassID: Sendable, Hashable, CustomStringConvertible {
    /// Eight hexadecimal digits.
    package let description: String

    private init(_ text: String) { description = text }

    package static func random() -> PassID { PassID(String(POSIX.randomHexadecimal().prefix(8))) }
}
