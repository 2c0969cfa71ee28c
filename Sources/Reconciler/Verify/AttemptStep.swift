/// One thing that an attempt does; every one takes a bounded time.
package enum AttemptStep: Sendable, Hashable, Codable {
    /// Opens a further TCP connection, the one that later steps use: `proxy`, or `host:port`.
    case connect(String)
    case send(AttemptPayload)
    case receive(Reception)
    /// A TLS handshake on the current connection; the certificate is not verified.
    case tls(TLSOffer)
    /// The first message of a TLS handshake and no more, with names that a TLS library would not send.
    case hello(ClientHello)
    /// CONNECT, its answer, and TLS when that was 200.
    case tunnel(Tunnel)
    /// A plain GET of this path with the last tunnel's host, and its answer.
    case get(String)
    /// Milliseconds.
    case pause(Int)
    /// Tells the other side that nothing more comes.
    case shutdown
    /// Sends a datagram to `host:port` and waits a second for another.
    case udp(to: String, AttemptPayload)
    /// Asks the container's resolver.
    case resolve(String)

    package enum Reception: String, Sendable, Hashable, Codable, CaseIterable {
        /// One whole HTTP/1 answer.
        case answer
        /// Everything until the other side closes.
        case close
        /// A second in which nothing comes.
        case silence
    }

    package struct Tunnel: Sendable, Hashable, Codable {
        package var host: String
        package var port: Int
        package var tls: TLSOffer

        package init(host: String, port: Int = 443, tls: TLSOffer) {
            self.host = host
            self.port = port
            self.tls = tls
        }
    }
}

/// What a client offers in a TLS handshake.
package struct TLSOffer: Sendable, Hashable, Codable {
    package enum Version: String, Sendable, Hashable, Codable, CaseIterable {
        case tls10 = "1.0"
        case tls11 = "1.1"
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// nil: no server name at all.
    package var sni: String?
    package var alpn: [String]
    package var max: Version?

    package init(sni: String?, alpn: [String] = [], max: Version? = nil) {
        self.sni = sni
        self.alpn = alpn
        self.max = max
    }
}

/// Bytes to send.
package enum AttemptPayload: Sendable, Hashable, Codable {
    /// Each character below U+0100 is one byte, others are UTF-8.
    case text(String, times: Int)
    case bytes([UInt8])

    package var bytes: [UInt8] {
        switch self {
        case .bytes(let bytes): return bytes
        case .text(let text, let times):
            let once = text.unicodeScalars.flatMap { scalar -> [UInt8] in
                scalar.value < 0x100 ? [UInt8(scalar.value)] : Array(String(scalar).utf8)
            }
            guard times != 1 else { return once }
            var all: [UInt8] = []
            all.reserveCapacity(once.count * times)
            for _ in 0..<times { all += once }
            return all
        }
    }
}
