/// The engine's id of an image: what is in it, and nothing that a tag could be moved to later.
package struct ImageID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// `sha256:` and 64 lowercase hexadecimal digits.
    package let text: String

    /// - Throws: `InvalidValue` for anything but `sha256:` and 64 lowercase hexadecimal digits.
    package init(_ text: String) throws(InvalidValue) {
        let digits = text.utf8.dropFirst(7)
        guard text.hasPrefix("sha256:"), digits.count == 64,
            digits.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { throw InvalidValue(kind: "image id", text: text, rule: "sha256: and 64 lowercase hexadecimal digits") }
        self.text = text
    }

    package var description: String { text }

    package static func < (left: ImageID, right: ImageID) -> Bool { left.text < right.text }
}
