/// Where an engine listens.
package enum EngineAddress: Sendable, Hashable {
    /// A Unix socket's path.
    case unix(String)
    /// A TCP port, without TLS.
    case tcp(host: String, port: Int)

    /// Whether the engine is reached through a socket on this machine.
    package var isLocal: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, _): host == "localhost" || host == "::1" || host.hasPrefix("127.")
        }
    }

    /// Parses an address as `DOCKER_HOST` writes it.
    package init(_ text: String) throws(EngineError) {
        func invalid(_ reason: String) -> EngineError { .invalidAddress(text, reason: reason) }
        guard let separator = text.firstRange(of: "://") else {
            throw invalid("it must begin with unix:// or tcp://")
        }
        let scheme = text[..<separator.lowerBound].lowercased()
        let rest = String(text[separator.upperBound...])
        switch scheme {
        case "unix":
            guard rest.hasPrefix("/") else { throw invalid("a Unix socket is named by an absolute path") }
            guard rest.utf8.count < 104 else { throw invalid("a Unix socket's path must be shorter than 104 bytes") }
            guard !rest.utf8.contains(0) else { throw invalid("a path has no NUL byte") }
            self = .unix(rest)
        case "tcp", "http":
            self = try Self.tcp(rest, invalid: invalid)
        case "https":
            throw invalid("TLS is not supported; use a Unix socket or an SSH tunnel to one")
        case "ssh":
            throw invalid("ssh is not supported; forward the socket with 'ssh -L' and use unix://")
        case "npipe":
            throw invalid("Windows pipes are not supported")
        default:
            throw invalid("'\(scheme)' is not a known scheme; use unix:// or tcp://")
        }
    }

    private static func tcp(
        _ text: String,
        invalid: (String) -> EngineError
    ) throws(EngineError) -> EngineAddress {
        var text = text[...]
        if text.hasSuffix("/") { text = text.dropLast() }
        guard !text.contains(where: { $0 == "/" || $0 == "@" || $0 == "?" || $0 == "#" || $0.isWhitespace }) else {
            throw invalid("only a host and a port are allowed")
        }
        let host: Substring
        var port: Substring = "2375"
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw invalid("the bracket is not closed") }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw invalid("a port follows the bracket") }
            if !rest.isEmpty { port = rest.dropFirst() }
        } else {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2 else { throw invalid("an IPv6 address stands in brackets") }
            host = parts.first ?? ""
            if parts.count == 2 { port = parts[1] }
        }
        guard !host.isEmpty else { throw invalid("the host is missing") }
        guard let number = Int(port), (1...65_535).contains(number) else {
            throw invalid("'\(port)' is not a port")
        }
        return .tcp(host: String(host), port: number)
    }
}

extension EngineAddress: CustomStringConvertible {
    /// The form of `DOCKER_HOST`.
    package var description: String {
        switch self {
        case .unix(let path): "unix://\(path)"
        case .tcp(let host, let port): host.contains(":") ? "tcp://[\(host)]:\(port)" : "tcp://\(host):\(port)"
        }
    }
}
