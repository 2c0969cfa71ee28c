/// The name of a secret: a key of the settings' `secrets`, or an environment variable.
package struct SecretReference: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let name: String

    /// - Throws: `InvalidValue` unless `name` is letters, digits and underscores, not starting with a digit.
    package init(_ name: String) throws(InvalidValue) {
        let bytes = Array(name.utf8)
        func isLetter(_ byte: UInt8) -> Bool {
            (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "_")
        }
        guard let first = bytes.first, isLetter(first), bytes.count <= 128,
            bytes.allSatisfy({ isLetter($0) || (48...57).contains($0) })
        else {
            throw InvalidValue(
                kind: "secret name",
                text: name,
                rule: "letters, digits and '_', not starting with a digit"
            )
        }
        self.name = name
    }

    package var description: String { name }

    package static func < (left: SecretReference, right: SecretReference) -> Bool { left.name < right.name }
}

/// The value of a secret; it never shows itself.
package struct SecretValue: Sendable, Hashable {
    /// The value itself.
    ///
    /// Read it only where it is handed to the engine or keyed into a fingerprint.
    package let exposed: String

    package init(_ value: String) { exposed = value }
}

extension SecretValue: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
