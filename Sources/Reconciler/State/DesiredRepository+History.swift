package import ReconcilerModel

extension DesiredRepository {
    /// The last revision that changed something of this bottle, read by one process; nil when none ever did.
    ///
    /// - Throws: `BottleError` `desired-unreadable`.
    package func lastChange(of identity: Identity) async throws -> Revision? {
        try await Self.explained(folder) {
            let paths = [Self.path(of: identity), "remediations/\(identity.name)"]
            // Plumbing: no setting of the repository's own makes it run a program.
            let output = try await git.output(["rev-list", "-1", "HEAD", "--"] + paths)
            return Revision(String(decoding: output, as: UTF8.self).prefix { $0 != "\n" })
        }
    }

    /// The last revision that changed something of each bottle that there ever was; two processes however many
    /// bottles there are.
    ///
    /// - Throws: `BottleError` `desired-unreadable`.
    package func lastChanges(at head: Revision) async throws -> [Identity: Revision] {
        try await Self.explained(folder) {
            let commits = try await git.output(["rev-list", head.id])
            let options = ["--stdin", "--root", "-r", "-z", "--name-only", "--no-renames"]
            let paths = ["--", "bottles", "remediations"]
            let changes = try await git.output(["diff-tree"] + options + paths, input: commits)
            var found: [Identity: Revision] = [:]
            var revision: Revision?
            for field in changes.split(separator: 0) {
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
    }

    /// The bottle that a file of the repository belongs to.
    private static func owner(of path: String) -> Identity? {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.first == "remediations", parts.count > 2 else { return identity(of: path) }
        return try? Identity(parts[1])
    }
}
