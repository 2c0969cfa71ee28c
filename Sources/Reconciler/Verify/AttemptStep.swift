/// One step of an attempt, which always takes a bounded time.
package enum AttemptStep: Sendable, Hashable, Codable {
    /// Opens another TCP connection, which later steps use: `proxy`, or `host:port`.
    case connect(String)
    case send(AttemptPayload)
    case receive(Reception)
    /// Does a TLS handshake on the current connection without verifying the certificate.
    case tls(TLSOffer)
    /// Sends only a ClientHello, with names that no TLS library would send.
    case hello(ClientHello)
    /// Sends CONNECT, receives its answer, and starts TLS if that was 200.
    case tunnel(Tunnel)
    /// Sends a plain GET of this path with the last tunnel's host, and receives the answer.
    case get(String)
    /// Milliseconds.
    case pause(Int)
    /// Closes the sending side.
    case shutdown
    /// Sends a datagram to `host:port` and waits a second for a reply.
    case udp(to: String, AttemptPayload)
    /// Asks the container's resolver for a name.
    case resolve(String)

    package enum Reception: String, Sendable, Hashable, Codable, CaseIterable {
        /// One complete HTTP/1 answer.
        case answer
        /// Everything until the other side closes.
        case close
        /// A second without bytes.
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
