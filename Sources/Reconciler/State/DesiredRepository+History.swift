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
}
