/// PEM text as `egress.trust` accepts it.
enum CertificateText {
    /// Why `text` can't be a bundle of root certificates; nil if it can.
    static func problem(_ text: String) -> String? {
        let lines = text.split { $0.isNewline }.map { $0.trimmingSpaces }
        if lines.contains(where: { $0.hasPrefix("-----BEGIN") && $0.contains("PRIVATE KEY") }) {
            return "it holds a private key: name only certificates"
        }
        var isInside = false
        var body: [UInt8] = []
        var count = 0
        for line in lines {
            if line == "-----BEGIN CERTIFICATE-----" {
                guard !isInside else { return "a certificate block has no end" }
                isInside = true
                body = []
            } else if line == "-----END CERTIFICATE-----" {
                guard isInside, let bytes = Base64.decode(body), bytes.count > 64, bytes.first == 0x30 else {
                    return "certificate block \(count + 1) is damaged"
                }
                isInside = false
                count += 1
            } else if isInside {
                body += Array(line.utf8)
            }
        }
        if isInside { return "a certificate block has no end" }
        return count == 0 ? "it holds no '-----BEGIN CERTIFICATE-----' block" : nil
    }
}
