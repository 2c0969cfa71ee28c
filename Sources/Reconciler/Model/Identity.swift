/// The unique name of a bottle: a DNS label of at most 40 characters.
package struct Identity: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let name: String

    /// - Throws: `InvalidValue` when `name` is not a DNS label of 1 to 40 characters.
    package init(_ name: String) throws(InvalidValue) {
        guard Self.isLabel(name), name.utf8.count <= 40 else {
            throw InvalidValue(
                kind: "name",
                text: name,
                rule: "lowercase letters, digits and inner hyphens, 1 to 40 characters"
            )
        }
        self.name = name
    }

    package var description: String { name }

    package static func < (left: Identity, right: Identity) -> Bool { left.name < right.name }

    /// Whether `text` is a lowercase DNS label (RFC 1123) of at most 63 characters.
    package static func isLabel(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (1...63).contains(bytes.count), bytes.first != UInt8(ascii: "-"), bytes.last != UInt8(ascii: "-") else {
            return false
        }
        return bytes.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
        }
    }
}
