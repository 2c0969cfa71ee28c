/// The name of an image as a person writes it: `registry/name:tag`, `name@sha256:…` or an image id.
package struct ImageReference: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let text: String

    /// - Throws: `InvalidValue` for an empty text, one over 512 characters, or one with a character no reference has.
    package init(_ text: String) throws(InvalidValue) {
        let allowed = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: ":"),
                UInt8(ascii: "@"):
                true
            default: false
            }
        }
        // No part is empty, and none is "." or "..": the text becomes part of the engine's paths.
        let parts = text.utf8.split(omittingEmptySubsequences: false) { byte in
            byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "@")
        }
        let starts = parts.allSatisfy { part in
            part.first.map { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ".") } ?? false
        }
        guard allowed, starts, text.utf8.count <= 512 else {
            throw InvalidValue(kind: "image reference", text: text, rule: "name[:tag] or name@sha256:digest")
        }
        self.text = text
    }

    package var description: String { text }

    package static func < (left: ImageReference, right: ImageReference) -> Bool { left.text < right.text }
}
