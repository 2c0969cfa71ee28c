import Crypto

/// The SHA-256 of some bytes, as 64 lowercase hexadecimal digits.
package struct ContentDigest: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let hex: String

    /// Digests `bytes`.
    package init(of bytes: some Sequence<UInt8>) {
        var hash = SHA256()
        hash.update(data: Array(bytes))
        hex = Self.hexadecimal(hash.finalize())
    }

    /// Digests the UTF-8 form of `text`.
    package init(of text: String) { self.init(of: text.utf8) }

    /// - Throws: `InvalidValue` unless `hex` is 64 lowercase hexadecimal digits.
    package init(hex: String) throws(InvalidValue) {
        guard hex.utf8.count == 64, hex.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            throw InvalidValue(kind: "SHA-256 digest", text: hex, rule: "64 lowercase hexadecimal digits")
        }
        self.hex = hex
    }

    package var description: String { hex }

    package static func < (left: ContentDigest, right: ContentDigest) -> Bool { left.hex < right.hex }

    /// The bytes as lowercase hexadecimal digits.
    package static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
