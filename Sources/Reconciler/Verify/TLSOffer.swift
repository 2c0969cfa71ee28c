/// What a client offers in a TLS handshake.
package struct TLSOffer: Sendable, Hashable, Codable {
    package enum Version: String, Sendable, Hashable, Codable, CaseIterable {
        case tls10 = "1.0"
        case tls11 = "1.1"
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// nil for no server name.
    package var sni: String?
    package var alpn: [String]
    package var max: Version?

    package init(sni: String?, alpn: [String] = [], max: Version? = nil) {
        self.sni = sni
        self.alpn = alpn
        self.max = max
    }
}
