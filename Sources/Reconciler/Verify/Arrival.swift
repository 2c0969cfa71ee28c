/// Something that reached one of our servers.
package struct Arrival: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        /// A TCP connection.
        case connection
        /// A TLS ClientHello.
        case greeting
        /// The head of an HTTP request, with the part of its body that came.
        case request
        /// A WebSocket message.
        case message
        /// Other bytes.
        case bytes
        case datagram
    }

    package var kind: Kind
    /// Seconds since 1970.
    package var time: Double
    package var port: Int
    /// The server's number for the connection; nil for a datagram.
    package var connection: Int?
    /// Whether it reached the server that only forbidden names lead to.
    package var isUnlisted: Bool
    /// The TLS server name; nil if there was none.
    package var sni: String?
    package var isEncrypted: Bool
    /// The head of a request as received, or other bytes; each byte is the character with the same number.
    package var text: String
    /// The beginning of the body, in the same form.
    package var body: String

    package init(
        _ kind: Kind,
        time: Double,
        port: Int = 443,
        connection: Int? = nil,
        isUnlisted: Bool = false,
        sni: String? = nil,
        isEncrypted: Bool = true,
        text: String = "",
        body: String = ""
    ) {
        self.kind = kind
        self.time = time
        self.port = port
        self.connection = connection
        self.isUnlisted = isUnlisted
        self.sni = sni
        self.isEncrypted = isEncrypted
        self.text = text
        self.body = body
    }

    /// Whether it contains `mark` anywhere.
    func bears(_ mark: String) -> Bool {
        text.lowercased().contains(mark) || body.lowercased().contains(mark)
            || sni?.lowercased().contains(mark) == true
    }
}
