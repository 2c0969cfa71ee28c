package import ReconcilerModel
import ReconcilerPlatform

extension DesiredRepository {
    /// The last revision that changed something of this bottle; nil when none ever did.
    ///
    /// No process while HEAD stays where it was when this was asked last, one otherwise or a few.
    /// - Throws: `BottleError` `desired-unreadable`.
    package func lastChange(of identity: Identity) async throws -> Revision? {
        try await Self.explained(folder) {
            let head = try await head()
            if let old = await memory.known, old != head, let changed = try await changes(from: old, to: head) {
                await memory.advance(from: old, to: head, changed: changed)
            }
            if let known = await memory.change(of: identity, at: head) { return known }
            let paths = Self.paths(of: identity)
            // Plumbing: no setting of the repository's own makes it run a program.
            let output = try await git.output(["rev-list", "-1", head.id, "--"] + paths)
            let revision = Revision(String(decoding: output, as: UTF8.self).prefix { $0 != "\n" })
            await memory.remember(revision, of: identity, at: head)
            return revision
        }
    }

    /// The commits that changed a bottle, the newest first; two processes.
    ///
    /// - Parameters:
    ///   - limit: how many at most.
    /// - Throws: `BottleError` `desired-unreadable`.
    package func history(of identity: Identity, limit: Int) async throws -> [RevisionDetails] {
        try await Self.explained(folder) {
            let paths = Self.paths(of: identity)
            let list = try await git.line(["rev-list", "--max-count=\(limit)", try await head().id, "--"] + paths)
            let ids = list.split(separator: "\n").map(String.init)
            guard !ids.isEmpty else { return [] }
            return try zip(ids, try await read(ids)).map { id, object in
                guard let revision = Revision(id), let object, object.kind == "commit",
                    let details = RevisionDetails(revision, commit: object.bytes)
                else { throw Self.unreadable(folder, "the commit \(id.prefix(12)) is missing or damaged") }
                return details
            }
        }
    }

    /// Makes sure that every object of the history is there and is what its id says.
    ///
    /// - Throws: `BottleError` `desired-unreadable` with git's own words.
    package func checkObjects() async throws {
        try await Self.explained(folder) {
            _ = try await git.output(["fsck", "--full", "--no-dangling", "--no-progress"])
        }
    }

    /// The revision that a person names: by its first digits, four at least, or as `HEAD`, with `~N` for the Nth before.
    ///
    /// - Throws: `BottleError` `no-revision`, `desired-unreadable`.
    package func revision(named name: String) async throws -> Revision {
        try await Self.explained(folder) {
            // Nothing else of git's own notation: it can name files and run through reflogs.
            guard name.wholeMatch(of: /(HEAD|[0-9a-f]{4,64})(~[0-9]{1,4})?/) != nil,
                let outcome = try? await git.run(["rev-parse", "--verify", "--quiet", "\(name)^{commit}"]),
                outcome.succeeded,
                let revision = Revision(String(decoding: outcome.output, as: UTF8.self).prefix { $0 != "\n" })
            else {
                throw BottleError(
                    .noRevision,
                    "'\(name)' names no revision, or more than one",
                    at: folder,
                    remedy: "`bottle history BOTTLE` lists them; give at least four digits, or HEAD, HEAD~1 …"
                )
            }
            return revision
        }
    }

    /// How a bottle's files differ between two revisions, as a unified diff; empty when they don't.
    ///
    /// - Throws: `BottleError` `desired-unreadable`.
    package func difference(of identity: Identity, from old: Revision, to new: Revision) async throws -> String {
        try await Self.explained(folder) {
            let options = ["-r", "-p", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-color", "--full-index"]
            let paths = Self.paths(of: identity)
            let output = try await git.output(["diff-tree"] + options + [old.id, new.id, "--"] + paths)
            return String(decoding: output, as: UTF8.self)
        }
    }

    /// The last revision that changed something of each bottle that there ever was; two processes however many
    /// bottles there are.
    ///
    /// - Throws: `BottleError` `desired-unreadable`.
    package func lastChanges(at head: Revision) async throws -> [Identity: Revision] {
        try await Self.explained(folder) { try await changes(by: try await git.output(["rev-list", head.id])) }
    }

    /// The last change of each bottle that the commits after `old` changed; nil when `new` is not a line of commits on
    /// top of it, or a long one.
    private func changes(from old: Revision, to new: Revision) async throws -> [Identity: Revision]? {
        let outcome = try await git.run(["rev-list", "--parents", "--max-count=1000", new.id, "^\(old)"])
        guard outcome.succeeded else { return nil }
        var next = new.id
        var commits = ""
        for line in String(decoding: outcome.output, as: UTF8.self).split(separator: "\n") {
            let ids = line.split(separator: " ")
            guard ids.count == 2, ids[0] == next else { return nil }
            commits += "\(ids[0])\n"
            next = String(ids[1])
        }
        guard next == old.id else { return nil }
        return try await changes(by: Array(commits.utf8))
    }

    /// What the first commit that changed each bottle is, of a list of commits.
    private func changes(by commits: [UInt8]) async throws -> [Identity: Revision] {
        let options = ["--stdin", "--root", "-r", "-z", "--name-only", "--no-renames"]
        let paths = ["--", "bottles", "remediations"]
        let output = try await git.output(["diff-tree"] + options + paths, input: commits)
        var found: [Identity: Revision] = [:]
        var revision: Revision?
        for field in output.split(separator: 0) {
            let text = String(decoding: field, as: UTF8.self)
            // Each commit's id comes before the paths that it changed; these have a slash.
            if let next = Revision(text) {
                revision = next
            } else if let bottle = Self.owner(of: text), found[bottle] == nil {
                found[bottle] = revision
            }
        }
        return found
    }

    /// The bottle that a file of the repository belongs to.
    static func owner(of path: String) -> Identity? {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.first == "remediations", parts.count > 2 else { return identity(of: path) }
        return try? Identity(parts[1])
    }
}
