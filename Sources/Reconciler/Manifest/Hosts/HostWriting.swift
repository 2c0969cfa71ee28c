import ReconcilerModel

/// A host as a person wrote it, converted to the one form that every program behind us reads the same way.
struct HostWriting: Sendable, Hashable {
    var pattern: HostPattern
    /// Changes that the author should know about.
    var notes: [String]
}

extension HostWriting {
    /// Why a host was refused, and what to write instead.
    struct Refusal: Error, Hashable {
        var message: String
        var suggestion: String?

        init(_ message: String, _ suggestion: String? = nil) {
            self.message = message
            self.suggestion = suggestion
        }
    }

    /// Reads a host pattern; accepts a wildcard only if `allowsWildcard`.
    ///
    /// Upper case becomes lower case and Unicode labels become Punycode. Drops one trailing dot, with a note. Refuses
    /// characters that programs map in different ways instead of guessing.
    init(_ text: String, allowsWildcard: Bool) throws(Refusal) {
        try Self.refuseMoreThanHost(text)
        var name = text
        var notes: [String] = []
        if name.hasSuffix(".") {
            name.removeLast()
            guard !name.hasSuffix("."), !name.isEmpty else { throw Refusal("a host has no empty label") }
            notes.append("the trailing dot is not needed")
        }
        let isWildcard = name.hasPrefix("*.")
        if isWildcard { name.removeFirst(2) }
        try Self.checkStars(text, base: name, isWildcard: isWildcard, allowsWildcard: allowsWildcard)
        var labels: [String] = []
        for label in name.split(separator: ".", omittingEmptySubsequences: false) {
            guard !label.isEmpty else { throw Refusal("a host has no empty label", "write one dot between labels") }
            labels.append(try HostLabel.ascii(String(label)))
        }
        let canonical = (isWildcard ? "*." : "") + labels.joined(separator: ".")
        do {
            pattern = try HostPattern(canonical)
        } catch {
            throw Refusal("\(quoted(text)) is not a host", error.rule)
        }
        if pattern.base == "localhost" || pattern.base.hasSuffix(".localhost") {
            throw Refusal("\(quoted(text)) is the sidecar itself, never a host of the outside")
        }
        if isWildcard { notes += try Self.checkSuffix(pattern) }
        if labels.contains(where: { $0.hasPrefix("xn--") }), !text.lowercased().contains("xn--") {
            notes.append("this is the host '\(canonical)'")
        }
        self.notes = notes
    }

    private static func refuseMoreThanHost(_ text: String) throws(Refusal) {
        guard !text.isEmpty else { throw Refusal("a host can't be empty") }
        guard text.utf8.count <= 1024 else { throw Refusal("a host has at most 253 characters") }
        if let scheme = firstRange(of: "://", in: text) {
            throw Refusal("a host has no scheme", bareHost(text[scheme...].dropFirst(3)).map { "write '\($0)'" })
        }
        if text.contains("/") || text.contains("?") || text.contains("#") {
            throw Refusal(
                "a host has no path",
                bareHost(text[...]).map { "write '\($0)'; paths go into a route's path_allowlist" }
            )
        }
        if text.contains("@") { throw Refusal("a host has no user name", bareHost(text[...]).map { "write '\($0)'" }) }
        if text.hasPrefix("[") || text.count(where: { $0 == ":" }) > 1 { throw Self.address(text) }
        if let colon = text.firstIndex(of: ":") {
            let port = text[text.index(after: colon)...]
            throw Refusal("a host has no port", "write '\(text[..<colon])'; a route can say 'port: \(port)'")
        }
        if text.unicodeScalars.contains(where: {
            $0.properties.isWhitespace || $0.value < 0x20 || $0 == "%" || $0 == "\\"
        }) {
            throw Refusal("\(quoted(text)) is not a host", "lowercase labels joined by dots")
        }
        if looksLikeAddress(text) { throw Self.address(text) }
    }

    private static func address(_ text: String) -> Refusal {
        Refusal(
            "\(quoted(text)) is an address, not a name",
            "name the host, and give its address in extra_hosts if no name server knows it"
        )
    }

    /// Whether some resolver takes it for an address: dotted, short, octal, hexadecimal, or one number.
    private static func looksLikeAddress(_ text: String) -> Bool {
        let trimmed = text.hasSuffix(".") ? text.dropLast() : text[...]
        guard let last = trimmed.lowercased().split(separator: ".", omittingEmptySubsequences: false).last,
            !last.isEmpty
        else { return false }
        if last.utf8.allSatisfy({ (48...57).contains($0) }) { return true }
        return last.hasPrefix("0x") && last.dropFirst(2).allSatisfy(\.isHexDigit)
    }

    private static func checkStars(
        _ text: String,
        base: String,
        isWildcard: Bool,
        allowsWildcard: Bool
    ) throws(Refusal) {
        if base.contains("*") || text == "*" || text == "*." {
            throw Refusal("a wildcard is '*.' and at least two labels", "write '*.example.org' with your own domain")
        }
        guard isWildcard else { return }
        guard allowsWildcard else { throw Refusal("a wildcard can't stand here", "name the host") }
        guard base.contains(".") else {
            throw Refusal(
                "'*.\(base.prefix(60))' would open every name below '\(base.prefix(60))'",
                "name your own domain"
            )
        }
    }

    private static func checkSuffix(_ pattern: HostPattern) throws(Refusal) -> [String] {
        switch PublicSuffix.standing(of: pattern.base) {
        case .suffix:
            throw Refusal(
                "anybody can register names below '\(pattern.base)'",
                "name the hosts, or a wildcard over a domain of one owner"
            )
        case .holdsSuffixes: return ["anybody can register names below some of '\(pattern)'"]
        case .ordinary: return []
        }
    }

    /// The host part of what looks like a URL, for a suggestion.
    private static func bareHost(_ text: Substring) -> String? {
        var authority = text.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
        let host = authority.prefix { $0 != ":" }
        return host.isEmpty || host.count > 100 ? nil : String(host).lowercased()
    }
}

/// The index at which `needle` first occurs in `text`.
func firstRange(of needle: String, in text: String) -> String.Index? {
    var index = text.startIndex
    while index < text.endIndex {
        if text[index...].hasPrefix(needle) { return index }
        index = text.index(after: index)
    }
    return nil
}
