import ReconcilerModel

extension ManifestDecoder {
    /// One git remote; nil when a part that it can't be without is missing.
    mutating func gitRemote(_ cursor: Cursor) -> GitRemote? {
        let name = cursor["name"].flatMap { word($0, "a repository's name") }
        if let name, let written = cursor["name"],
            name.utf8.count > 100 || name.hasSuffix(".git") || name.hasSuffix(".")
        {
            findings.error(
                "invalid-value",
                "\(written.path): \(quoted(name)) is not a repository's name",
                at: written.place,
                suggestion: "at most 100 characters, without '.git': the gate adds it"
            )
        }
        if let upstream = cursor["upstream"], let text = upstream.text {
            _ = value(upstream) { () throws(InvalidValue) in try GitUpstream(text) }
        }
        if let file = cursor["identity_file"] { requireText(file) }
        if let key = cursor["known_host_key"], let text = key.text, let problem = SSHPublicKey.problem(text) {
            findings.error(
                "invalid-value",
                "\(key.path): \(problem)",
                at: key.place,
                suggestion: "as `ssh-keyscan HOST` prints it, without the host"
            )
        }
        for item in cursor["refs"]?.items ?? [] { checkRef(item) }
        for item in cursor["allow_binary"]?.items ?? [] { checkPattern(item) }
        let addresses = extraHosts(cursor["extra_hosts"])
        guard let name, let upstream = cursor["upstream"]?.text, let file = cursor["identity_file"]?.text else {
            return nil
        }
        return GitRemote(
            name: name,
            upstream: upstream,
            identityFile: file,
            knownHostKey: cursor["known_host_key"]?.text,
            refs: (cursor["refs"]?.items ?? []).compactMap(\.text),
            extraHosts: addresses,
            allowBinary: (cursor["allow_binary"]?.items ?? []).compactMap(\.text)
        )
    }

    /// A ref pattern: a full name below `refs/`, with at most one `*` as a whole last segment.
    private mutating func checkRef(_ cursor: Cursor) {
        guard let text = cursor.text else { return }
        let segments = text.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = segments.allSatisfy { segment in
            !segment.isEmpty && !segment.hasPrefix(".") && !segment.hasPrefix("-") && !segment.hasSuffix(".lock")
                && segment.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"~^:?[\\".utf8.contains($0) }
        }
        let stars = segments.filter { $0.contains("*") }
        let starsFit = stars.isEmpty || (stars.count == 1 && segments.last == "*")
        if !text.hasPrefix("refs/") || segments.count < 3 || !isPlain || !starsFit || text.contains("..")
            || text.contains("@{")
        {
            findings.error(
                "invalid-value",
                "\(cursor.path): \(quoted(text)) is not a ref pattern",
                at: cursor.place,
                suggestion: "a full name like refs/heads/main, or refs/heads/agent/*"
            )
        }
    }

    private mutating func checkPattern(_ cursor: Cursor) {
        guard let text = cursor.text else { return }
        requireText(cursor)
        if text.hasPrefix("/") || text.split(separator: "/", omittingEmptySubsequences: false).contains("..") {
            findings.error(
                "invalid-value",
                "\(cursor.path): \(quoted(text)) is not a path pattern in the repository",
                at: cursor.place,
                suggestion: "a path from the repository's root, like assets/*.png"
            )
        }
    }
}

/// A public key as OpenSSH writes it: type, base 64, optional comment.
enum SSHPublicKey {
    static let types: Set<String> = [
        "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
        "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
    ]

    /// Why `text` is no public key; nil when it is one.
    static func problem(_ text: String) -> String? {
        guard !text.contains(where: \.isNewline) else { return "a key is one line" }
        let words = text.split(separator: " ")
        guard words.count >= 2 else { return "\(quoted(text)) is not a public key" }
        guard types.contains(String(words[0])) else { return "\(quoted(String(words[0]))) is not a type of key" }
        guard let blob = Base64.decode(Array(words[1].utf8)), blob.count > 4 else { return "the key is damaged" }
        let length = blob[..<4].reduce(0) { $0 << 8 | Int($1) }
        let type = String(decoding: blob.dropFirst(4).prefix(length), as: UTF8.self)
        guard type == words[0], blob.count > 4 + length + 16 else { return "the key is damaged" }
        return nil
    }
}
