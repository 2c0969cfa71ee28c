/// The unique id of a pass, in logs, results and `describe`.
package struct PassID: Sendable, Hashable, CustomStringConvertible {
    /// Eight hexadecimal digits.
    package let description: String

    private init(_ text: String) { description = text }

    package static func random() -> PassID {
        let digits = String(UInt32.random(in: .min ... .max), radix: 16)
        return PassID(String(repeating: "0", count: 8 - digits.count) + digits)
    }
}
