/// The user's `known_hosts`: the keys that hosts showed before.
struct KnownHosts {
    private var lines: [[Substring]]

    init(_ text: String) {
        lines = text.split(whereSeparator: \.isNewline).map { $0.split { $0 == " " || $0 == "\t" } }
            .filter { $0.count >= 3 && !($0[0].hasPrefix("#") || $0[0].hasPrefix("@")) }
    }

    /// The first key (`type base64`) of `host` at `port`, preferring ed25519; nil if there is none.
    func key(of host: String, port: Int) -> String? {
        let name = port == 22 ? host : "[\(host)]:\(port)"
        let found = lines.filter { Self.names($0[0], name) }.map { "\($0[1]) \($0[2])" }
            .filter { SSHPublicKey.problem($0) == nil }
        return found.first { $0.hasPrefix("ssh-ed25519 ") } ?? found.first
    }

    private static func names(_ field: Substring, _ name: String) -> Bool {
        if field.hasPrefix("|1|") {
            let parts = field.split(separator: "|")
            guard parts.count == 3, let salt = Base64.decode(Array(parts[1].utf8)) else { return false }
            return Base64.decode(Array(parts[2].utf8)) == SHA1.authenticate(Array(name.utf8), key: salt)
        }
        // A `!` excludes a name from the whole line.
        let patterns = field.split(separator: ",").map { $0.lowercased() }
        guard !patterns.contains(where: { $0.hasPrefix("!") && fits($0.dropFirst(), name) }) else { return false }
        return patterns.contains { fits($0[...], name) }
    }

    private static func fits(_ pattern: Substring, _ name: String) -> Bool {
        // A pattern would vouch for hosts that were never seen, so only literal names count.
        pattern == name
    }
}
