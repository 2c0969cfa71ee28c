package import Crypto
package import ReconcilerModel

/// Fingerprints of secrets: equal for equal values, useless without the key in `trust/`.
///
/// They stand for values in spec hashes. A reader of a label can't test guesses against it.
package struct KeyedFingerprint: Sendable {
    private let key: SymmetricKey

    /// - Parameter key: 256 random bits.
    package init(key: SymmetricKey) { self.key = key }

    /// Loads the installation's key; makes it on first use.
    ///
    /// It is durable when this returns.
    ///
    /// - Throws: `BottleError` `fingerprint-key-unreadable`; never replaces a damaged key, because every spec hash
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
        // A name contains no NUL, so no two pairs give the same text.
        let text = Array("bottle secret v1\0\(name.name)\0\(value.exposed)".utf8)
        return ContentDigest.hexadecimal(HMAC<SHA256>.authenticationCode(for: text, using: key))
    }

    /// HMAC-SHA256 over any text that may be secret, 64 hexadecimal digits; never equal to that of a secret's value.
    ///
    /// - Parameter name: a label without NUL: equal texts under different names have different fingerprints.
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
