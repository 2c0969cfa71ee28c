/// The engine's id of a container.
///
/// A name can pass to another container; an id can't.
package struct ContainerID: Sendable, Hashable, Comparable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// As the engine writes it: 64 hexadecimal digits.
    package let text: String

    package init(_ text: String) { self.text = text }

    package init(stringLiteral text: String) { self.text = text }

    package var description: String { text }

    /// The first 12 digits, for people.
    package var short: String { String(text.prefix(12)) }

    package static func < (left: ContainerID, right: ContainerID) -> Bool { left.text < right.text }
}
