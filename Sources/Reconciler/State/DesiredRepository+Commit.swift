package import ReconcilerModel
import ReconcilerPlatform

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

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

    /// Commits `edit(HEAD)` under the repository lock; calls `edit` again if another git process moved HEAD.
    ///
    /// - Parameter edit: nil: there is nothing to commit.
    /// - Returns: the new revision; nil, and no commit, when nothing changed.
    /// - Throws: what `edit` throws, and `BottleError` as the other `commit` does.
    package func commit(
        author: Author? = nil,
        expecting expected: Revision? = nil,
        _ edit: (Revision) async throws -> DesiredEdit?
    ) async throws -> Revision? {
        try await commit(by: nil, author: author, expecting: expected, edit)
    }

    /// The same.
    ///
    /// - Parameter user: the operator, where their git was asked already.
    func commit(
        by user: GitUser?,
        author: Author?,
        expecting expected: Revision?,
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
                        .desiredUnwritable,
                        "'\(path)' can't be a file of the desired state",
                        at: folder
                    )
                }
                do {
                    return try await commit(
                        wanted.changes,
                        on: old,
                        message: wanted.message,
                        user: user,
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
        user known: GitUser?,
        author: Author?,
        settling left: Set<String>
    ) async throws -> Revision? {
        let entries = try await filesByPath(of: old)
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
        var now = entries
        var written: [(id: String, bytes: [UInt8])] = []
        for (path, change) in effective.sorted(by: { $0.key < $1.key }) {
            switch change {
            case .remove: now[path] = nil
            case .write(let text):
                let bytes = Array(text.utf8)
                let id = GitObject.blobID(of: bytes, like: old.id)
                now[path] = GitEntry(mode: "100644", kind: "blob", id: id, path: path)
                written.append((id, bytes))
            }
        }
        // Side by side: the ids are known beforehand, and nothing refers to either yet.
        async let stored: Void = store(written)
        let tree = try await storeTree(of: now, like: old.id)
        try await stored
        // Only what the operator commits is signed as theirs.
        var user = GitUser()
        if author == nil { user = if let known { known } else { await git.operator() } }
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
            try await settle(settled, at: new, entries: now, contents: contents)
        } catch {
            // Committed is committed: what can't be settled now (a full disk, a cancelled task) keeps its note, and
            // the next commit settles it. `dirtyFiles()` shows it until then.
        }
        return new
    }

    /// Stores contents, of which git must make these ids; one process however many there are.
    private func store(_ contents: [(id: String, bytes: [UInt8])]) async throws {
        let command = ["hash-object", "-w", "--no-filters"]
        let ids: [String]
        switch contents.count {
        case 0: return
        case 1: ids = [try await git.line(command + ["--stdin"], input: contents[0].bytes)]
        default:
            ids = try await withScratch { scratch in
                let names = contents.indices.map { "\(scratch)/\($0)" }
                for (name, content) in zip(names, contents) {
                    let file = try POSIX.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
                    try file.write(content.bytes, to: name)
                }
                let list = names.map { $0 + "\n" }.joined()
                let lines = try await git.line(command + ["--stdin-paths"], input: Array(list.utf8))
                return lines.split(separator: "\n").map(String.init)
            }
        }
        guard ids == contents.map(\.id) else { throw Self.unreadable(folder, "git hash-object is not understood") }
    }

    /// Stores a tree of these files, whether they are stored yet or not; nothing refers to it yet.
    private func storeTree(of entries: [String: GitEntry], like example: String) async throws -> String {
        try await withScratch { scratch in
            let variables = ["GIT_INDEX_FILE": "\(scratch)/\(Self.scratchIndex)"]
            _ = try await git.output(
                ["update-index", "-z", "--index-info"],
                input: Array(Self.indexLines(entries.mapValues { $0 }, like: example).utf8),
                variables: variables
            )
            return try await git.line(["write-tree", "--missing-ok"], variables: variables)
        }
    }

    /// Makes sure that HEAD is still where it was.
    ///
    /// - Throws: `BottleError` `desired-moved`, `desired-unreadable`.
    package func expect(_ expected: Revision) async throws {
        let found = try await head()
        guard found == expected else { throw moved(from: expected, to: found) }
    }

    /// Checks that a bottle is desired at `head` as it was at `expected`; changes of other bottles don't count.
    ///
    /// - Parameter expected: the revision that was looked at; nil: none was.
    /// - Throws: `BottleError` `desired-moved`, `desired-unreadable`.
    func expect(_ expected: Revision?, of identity: Identity, at head: Revision) async throws {
        guard let expected, expected != head else { return }
        let then = try await files(of: identity, at: expected)
        let now = try await files(of: identity, at: head)
        // Byte by byte: to Swift's `==` other texts are the same, too.
        func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
        guard then.text.map(bytes) == now.text.map(bytes), then.files.mapValues(bytes) == now.files.mapValues(bytes)
        else { throw moved(from: expected, to: head) }
    }

    private func moved(from expected: Revision?, to found: Revision) -> BottleError {
        BottleError(
            .desiredMoved,
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
