import ReconcilerModel

/// What happens to one file in a commit.
package enum DesiredChange: Sendable, Hashable {
    case write(String)
    case remove
}

extension DesiredRepository {
    /// Commits `changes` on top of HEAD, and brings the work tree up to date.
    ///
    /// One writer at a time, by the kernel's lock; HEAD moves by compare-and-swap, so that someone's own `git commit`
    /// beside it is never lost. If the process dies here, HEAD is the old revision or the new, and the next commit
    /// mends what else was left. Files that a person edited without committing are never overwritten: see
    /// `desired-dirty`.
    /// - Parameters:
    ///   - changes: by path from the top of the repository.
    ///   - author: nil: the operator, as their git knows them.
    ///   - expected: the revision the changes were made for; nil: whatever HEAD is.
    /// - Returns: the new revision; nil, and no commit, when nothing changed.
    /// - Throws: `BottleError` `desired-moved`, `desired-dirty`, `desired-busy`, `desired-unreadable`,
    ///   `desired-unwritable`, `desired-unsigned`.
    package func commit(
        _ changes: [String: DesiredChange],
        message: String,
        author: Author? = nil,
        expecting expected: Revision? = nil
    ) async throws -> Revision? {
        try await commit(author: author, expecting: expected) { _ in DesiredEdit(changes: changes, message: message) }
    }

    /// Commits what `edit` makes of HEAD, while nobody else commits: it is asked again when HEAD moved all the same.
    ///
    /// - Parameter edit: nil: there is nothing to commit.
    /// - Returns: the new revision; nil, and no commit, when nothing changed.
    /// - Throws: what `edit` throws, and `BottleError` as the other `commit` does.
    package func commit(
        author: Author? = nil,
        expecting expected: Revision? = nil,
        _ edit: (Revision) async throws -> DesiredEdit?
    ) async throws -> Revision? {
        try await Self.explained(folder) {
            let held = try await lock.acquire(wait: .seconds(60))
            defer { extendLifetime(held) }
            let left = try await recover()
            var attempts = 0
            while true {
                let old = try await head()
                guard expected == nil || expected == old else { throw moved(from: expected, to: old) }
                guard let wanted = try await edit(old) else { return nil }
                for path in wanted.changes.keys where !Self.isPath(path) {
                    throw BottleError(
                        "desired-unwritable",
                        "'\(path)' can't be a file of the desired state",
                        at: folder
                    )
                }
                do {
                    return try await commit(
                        wanted.changes,
                        on: old,
                        message: wanted.message,
                        author: author,
                        settling: left
                    )
                } catch let refusal as Git.Refusal where refusal.command == "update-ref" {
                    // Someone's own git moved HEAD between our look and our swap: look again.
                    attempts += 1
                    guard try await head() != old, attempts < 10 else { throw refusal }
                }
            }
        }
    }

    private func commit(
        _ changes: [String: DesiredChange],
        on old: Revision,
        message: String,
        author: Author?,
        settling left: Set<String>
    ) async throws -> Revision? {
        let entries = Dictionary(
            try await entries(of: old).map { ($0.path, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let effective = changes.filter { path, change in
            switch change {
            case .remove: entries[path] != nil
            case .write(let text):
                entries[path]?.id != GitObject.blobID(of: Array(text.utf8), like: old.id)
                    || entries[path]?.mode != "100644"
            }
        }
        guard !effective.isEmpty else { return nil }
        try await refuseEdited(Set(effective.keys), entries: entries, revision: old)

        let settled = left.union(effective.keys)
        try beginWriting(settled)
        let tree = try await storeTree(of: old, with: effective)
        // No name is worth failing a commit for. Only what the operator commits is signed as theirs.
        let user = author == nil ? (try? await git.user()) ?? GitUser() : GitUser()
        let commit = try await git.commit(
            tree: tree,
            parents: [old.id],
            message: message.hasSuffix("\n") ? message : message + "\n",
            author: author ?? user.author,
            by: user
        )
        guard let new = Revision(commit) else { throw Self.unreadable(folder, "git commit-tree is not understood") }
        let subject = message.split(separator: "\n").first.map(String.init) ?? ""
        _ = try await git.output(["update-ref", "-m", "bottle: \(subject)", "HEAD", new.id, old.id])
        let owners = Set(effective.keys.compactMap(Self.owner))
        await memory.advance(from: old, to: new, changed: Dictionary(uniqueKeysWithValues: owners.map { ($0, new) }))
        controller.poke()
        do {
            var contents: [String: [UInt8]] = [:]
            for case .write(let text) in effective.values {
                let bytes = Array(text.utf8)
                contents[GitObject.blobID(of: bytes, like: new.id)] = bytes
            }
            try await settle(settled, at: new, contents: contents)
        } catch {
            // Committed is committed: what can't be settled now (a full disk, a cancelled task) keeps its note, and
            // the next commit settles it. `dirtyFiles()` shows it until then.
        }
        return new
    }

    /// Stores the files and the tree that the changes make of a revision; nothing refers to them yet.
    private func storeTree(of old: Revision, with changes: [String: DesiredChange]) async throws -> String {
        var files: [String: GitEntry?] = [:]
        for (path, change) in changes {
            guard case .write(let text) = change else {
                files[path] = .some(nil)
                continue
            }
            let id = try await git.line(["hash-object", "-w", "--no-filters", "--stdin"], input: Array(text.utf8))
            files[path] = .some(GitEntry(mode: "100644", kind: "blob", id: id, path: path))
        }
        let index = "\(git.folder)/\(Self.indexPrefix)\(POSIX.randomHexadecimal())"
        let variables = ["GIT_INDEX_FILE": index]
        _ = try await git.output(["read-tree", old.id], variables: variables)
        let lines = Self.indexLines(files, like: old.id)
        _ = try await git.output(
            ["update-index", "-z", "--index-info"],
            input: Array(lines.utf8),
            variables: variables
        )
        let tree = try await git.line(["write-tree"], variables: variables)
        try POSIX.unlink(index)
        return tree
    }

    private func moved(from expected: Revision?, to found: Revision) -> BottleError {
        BottleError(
            "desired-moved",
            "the desired state changed meanwhile: expected \(expected?.short ?? "?"), found \(found.short)",
            at: folder,
            remedy: "look at the change (git -C '\(folder)' log -p), then run the command again"
        )
    }

    /// Lowercase names, digits, `.`, `_`, `-`, joined by `/`; no component begins with a dot.
    static func isPath(_ path: String) -> Bool {
        let components = path.split(separator: "/", omittingEmptySubsequences: false)
        return components.count >= 2 && path.utf8.count <= 512
            && components.allSatisfy { component in
                !component.isEmpty && !component.hasPrefix(".")
                    && component.utf8.allSatisfy {
                        (48...57).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0)
                    }
            }
    }
}
