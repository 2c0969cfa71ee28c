package import ReconcilerModel

/// The address of a git repository over SSH: `ssh://user@host:port/path`, or scp's form `user@host:path`.
package struct GitUpstream: Sendable, Hashable {
    package let user: String
    /// A canonical name or an IPv4 address.
    package let host: String
    package let port: Int
    /// The path that the server receives: absolute for `ssh://`; in scp's form it can be relative to the user's home.
    package let path: String

    /// - Throws: `InvalidValue` for another scheme, for a missing user or path, and for parts that contain control
    ///   characters or that a program could take for an option.
    package init(_ text: String) throws(InvalidValue) {
        func invalid(_ rule: String) -> InvalidValue { InvalidValue(kind: "git upstream", text: text, rule: rule) }
        let form = "ssh://user@host:port/path, or user@host:path"
        guard text.utf8.count <= 2048 else { throw invalid("at most 2048 bytes") }
        guard !text.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value >= 0x7F }) else {
            throw invalid("no spaces, control characters or characters outside of ASCII")
        }
        let authority: Substring
        var port = 22
        let path: Substring
        if text.hasPrefix("ssh://") {
            let rest = text.dropFirst(6)
            guard let slash = rest.firstIndex(of: "/") else { throw invalid(form) }
            var written = rest[..<slash]
            path = rest[slash...]
            if let colon = written.lastIndex(of: ":") {
                let digits = written[written.index(after: colon)...]
                guard let number = Int(digits), String(number) == digits, (1...65535).contains(number) else {
                    throw invalid("a port from 1 to 65535")
                }
                port = number
                written = written[..<colon]
            }
            authority = written
        } else {
            guard firstRange(of: "://", in: text) == nil else { throw invalid("only ssh: \(form)") }
            guard let colon = text.firstIndex(of: ":"), !text[..<colon].contains("/") else { throw invalid(form) }
            authority = text[..<colon]
            path = text[text.index(after: colon)...]
        }
        guard let at = authority.firstIndex(of: "@") else { throw invalid("the user is missing: \(form)") }
        let user = authority[..<at]
        let host = String(authority[authority.index(after: at)...])
        guard !user.isEmpty, user.first != "-", user.utf8.allSatisfy(Self.isUserByte) else {
            throw invalid("a user of letters, digits, '.', '_' and '-', not beginning with '-'")
        }
        guard let first = host.first, first != "-" else { throw invalid("a host, not beginning with '-'") }
        try Self.checkPath(path, invalid)
        self.user = String(user)
        if let address = try? IPv4Address(host) {
            self.host = address.description
        } else {
            guard let name = try? HostWriting(host, allowsWildcard: false) else {
                throw invalid("a host's name: \(form)")
            }
            self.host = name.pattern.text
        }
        self.port = port
        self.path = String(path)
    }

    private static func checkPath(_ path: Substring, _ invalid: (String) -> InvalidValue) throws(InvalidValue) {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.isEmpty, path != "/", path.utf8.count <= 1024 else { throw invalid("a path after the host") }
        guard !segments.contains(where: { $0.hasPrefix("-") }) else {
            throw invalid("no part of the path may begin with '-'")
        }
        guard !segments.contains(".."), !segments.contains("."), !segments.dropFirst().contains(""),
            path.utf8.allSatisfy({ isUserByte($0) || "/~+@%,=".utf8.contains($0) })
        else { throw invalid("a plain path: no '..', empty segments, quotes or shell characters") }
    }

    private static func isUserByte(_ byte: UInt8) -> Bool {
        ManifestDecoder.isAlphanumeric(byte) || [45, 46, 95].contains(byte)
    }
}
