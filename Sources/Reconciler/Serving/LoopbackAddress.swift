/// A TCP port of this machine that no other machine can reach.
package struct LoopbackAddress: Sendable, Hashable, CustomStringConvertible {
    package enum Host: String, Sendable, Hashable {
        case v4 = "127.0.0.1"
        case v6 = "::1"
    }

    package let host: Host
    /// 0 for any free port.
    package let port: Int

    package init(host: Host = .v4, port: Int) {
        self.host = host
        self.port = port
    }

    /// Parses `127.0.0.1:9090`, `localhost:9090` or `[::1]:9090`; the port is required, 0 is any free one.
    ///
    /// - Throws: `Invalid` for every other address: our listeners must not be reachable from other machines.
    package init(_ text: String) throws(Invalid) {
        guard let colon = text.lastIndex(of: ":") else { throw Invalid(text: text, reason: "a port must be named") }
        switch text[..<colon] {
        case "127.0.0.1", "localhost": host = .v4
        case "[::1]": host = .v6
        default: throw Invalid(text: text, reason: "only 127.0.0.1, localhost and [::1] can be listened on")
        }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = UInt16(digits) else {
            throw Invalid(text: text, reason: "'\(digits)' is not a port")
        }
        self.port = Int(port)
    }

    /// The host as a URL writes it.
    package var urlHost: String {
        switch host {
        case .v4: host.rawValue
        case .v6: "[\(host.rawValue)]"
        }
    }

    package var description: String { "\(urlHost):\(port)" }

    /// The text is not a port on loopback.
    package struct Invalid: Error, Sendable, Hashable, CustomStringConvertible {
        package let text: String
        package let reason: String

        package var description: String { "'\(text)' can't be listened on: \(reason)" }
    }
}
