package import Crypto
package import ReconcilerModel

/// Fingerprints of secrets: equal for equal values, worthless without the key in `trust/`.
///
/// They stand in for values in spec hashes. Nobody who sees a label can test guesses against it.
package struct KeyedFingerprint: Sendable {
    private let key: SymmetricKey

    /// - Parameter key: 256 random bits.
    package init(key: SymmetricKey) { self.key = key }

    /// Reads the installation's key, made on first use; durable when this returns.
    ///
    /// - Throws: `BottleError` `fingerprint-key-unreadable`; a damaged key is never replaced, since every spec hash
    ///   would change with it.
    package static func load(from files: any PrivateFiles) throws -> KeyedFingerprint {
        let path = "fingerprint.key"
        do {
            if try files.read(path) == nil {
                let fresh = SymmetricKey(size: .bits256)
                let text = unsafe fresh.withUnsafeBytes { unsafe ContentDigest.hexadecimal($0) }
                _ = try files.create(Array((text + "\n").utf8), at: path)
            }
            guard let bytes = try files.read(path), let key = key(from: bytes) else {
                throw CertificateAuthority.Damage(description: "it is not 64 hexadecimal digits")
            }
            return KeyedFingerprint(key: key)
        } catch {
            throw BottleError(
                .fingerprintKeyUnreadable,
                "the key for fingerprints of secrets can't be used",
                at: files.location(of: path),
                remedy: "restore it from a backup, or remove it: the next apply makes a new one and replaces every "
                    + "sidecar that holds a secret",
                cause: "\(error)"
            )
        }
    }

    /// HMAC-SHA256 over name and value, 64 hexadecimal digits.
    package func fingerprint(of value: SecretValue, name: SecretReference) -> String {
        // A name holds no NUL, so no two pairs run together.
        let text = Array("bottle secret v1\0\(name.name)\0\(value.exposed)".utf8)
        return ContentDigest.hexadecimal(HMAC<SHA256>.authenticationCode(for: text, using: key))
    }

    /// HMAC-SHA256 over any text that may be a secret, 64 hexadecimal digits; none is that of a secret's value.
    ///
    /// - Parameter name: what the text is, without NUL: equal texts of different names have different fingerprints.
    package func fingerprint(of text: String, under name: String) -> String {
        let text = Array("bottle text v1\0\(name)\0\(text)".utf8)
        return ContentDigest.hexadecimal(HMAC<SHA256>.authenticationCode(for: text, using: key))
    }

    private static func key(from bytes: [UInt8]) -> SymmetricKey? {
        let digits = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
        guard digits.count == 64, (try? ContentDigest(hex: String(decoding: digits, as: UTF8.self))) != nil else {
            return nil
        }
        let values = digits.map { $0 < 58 ? $0 - 48 : $0 - 87 }
        return SymmetricKey(data: stride(from: 0, to: 64, by: 2).map { values[$0] << 4 | values[$0 + 1] })
    }
}
