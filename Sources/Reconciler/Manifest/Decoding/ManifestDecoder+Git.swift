import ReconcilerModel

extension ManifestDecoder {
    /// Decodes one git remote; nil if a required part is missing.
    mutating func gitRemote(_ cursor: Cursor) -> GitRemote? {
        let name = cursor["name"].flatMap { word($0, "a repository's name") }
        if let name, let written = cursor["name"],
            name.utf8.count > 100 || name.hasSuffix(".git") || name.hasSuffix(".")
        {
            findings.error(
                "invalid-value",
                "\(written.path): \(quoted(name)) is not a repository's name",
                at: written.position,
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
                at: key.position,
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

    /// Checks a ref pattern: a full name below `refs/`, whose last segment may be `*`.
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
                at: cursor.position,
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
                at: cursor.position,
                suggestion: "a path from the repository's root, like assets/*.png"
            )
        }
    }
}
