/// The engine's id of a network.
///
/// A name can pass to another network; an id can't.
package struct NetworkID: Sendable, Hashable, Comparable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// As the engine writes it: 64 hexadecimal digits.
    package let text: String

    package init(_ text: String) { self.text = text }

    package init(stringLiteral text: String) { self.text = text }

    package var description: String { text }

    /// The first 12 digits, for people.
    package var short: String { String(text.prefix(12)) }

    package static func < (left: NetworkID, right: NetworkID) -> Bool { left.text < right.text }
}
