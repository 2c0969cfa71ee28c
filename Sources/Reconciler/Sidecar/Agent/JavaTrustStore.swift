import Crypto

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Certificates in the form that Java reads, which knows no PEM: a JKS key store, which every version reads.
enum JavaTrustStore {
    /// What Java's own key stores are checked with; it protects nothing, and `keytool` expects it.
    private static let password = "changeit"

    /// The key store of the certificates in a PEM text; what isn't a whole certificate is left out.
    ///
    /// The same text makes the same bytes.
    static func bytes(pem: String) -> [UInt8] {
        var store: [UInt8] = []
        let certificates = certificates(pem: pem)
        store.append(number: 0xFEED_FEED as UInt32)
        store.append(number: 2 as UInt32)
        store.append(number: UInt32(certificates.count))
        for (index, certificate) in certificates.enumerated() {
            store.append(number: 2 as UInt32)  // a trusted certificate
            store.append(text: "ca-\(index)")
            store.append(number: 0 as UInt64)  // when it was made
            store.append(text: "X.509")
            store.append(number: UInt32(certificate.count))
            store += certificate
        }
        var hash = Insecure.SHA1()
        hash.update(data: password.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] })
        hash.update(data: Array("Mighty Aphrodite".utf8))  // the format's own salt
        hash.update(data: store)
        return store + hash.finalize()
    }

    /// The DER of each certificate of a PEM text.
    private static func certificates(pem: String) -> [[UInt8]] {
        let begin = Array("-----BEGIN CERTIFICATE-----".utf8)
        let end = Array("-----END CERTIFICATE-----".utf8)
        var certificates: [[UInt8]] = []
        var base64: Data?
        // Bytes, since a bundle is rendered on every pass, and walking its characters takes ten times as long.
        for line in Array(pem.utf8).split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            if line.elementsEqual(begin) {
                base64 = Data()
            } else if line.elementsEqual(end) {
                // One broken certificate would make Java refuse them all.
                if let text = base64, let der = Data(base64Encoded: text), isWhole(der) {
                    certificates.append(Array(der))
                }
                base64 = nil
            } else {
                base64?.append(contentsOf: line)
            }
        }
        return certificates
    }

    /// Whether this is one DER sequence of the length that it says, from 128 bytes to 64 KiB.
    private static func isWhole(_ der: Data) -> Bool {
        let head = Array(der.prefix(4)).map(Int.init)
        guard head.count == 4, head[0] == 0x30 else { return false }
        return switch head[1] {
        case 0x81: der.count == 3 + head[2]
        case 0x82: der.count == 4 + head[2] << 8 + head[3]
        default: false
        }
    }
}

extension [UInt8] {
    /// Appends a number, its highest byte first.
    fileprivate mutating func append(number: some FixedWidthInteger) {
        for shift in stride(from: type(of: number).bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// Appends a short ASCII text, its length before it.
    fileprivate mutating func append(text: String) {
        append(number: UInt16(text.utf8.count))
        self += text.utf8
    }
}
