package import ReconcilerModel

extension DesiredRepository {
    /// The last revision that changed something of this bottle; nil when none ever did. One process.
    ///
    /// - Throws: `BottleError` `desired-unreadable`.
    package func lastChange(of identity: Identity) async throws -> Revision? {
        try await Self.explained(folder) {
            let output = try await git.output([
                "log", "-1", "--format=%H", "HEAD", "--", Self.path(of: identity), "remediations/\(identity.name)",
            ])
            return Revision(String(decoding: output, as: UTF8.self).prefix { $0 != "\n" })
        }
    }
}
