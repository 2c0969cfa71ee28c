import ReconcilerManifest
package import ReconcilerModel

extension DesiredRepository {
    /// One bottle as it is desired now, and the revision that last changed it; nil when it is not desired.
    ///
    /// - Throws: `BottleError` `desired-unreadable`, also when a person has edited the manifest into nonsense.
    package func manifest(of identity: Identity) async throws -> (manifest: BottleManifest, revision: Revision)? {
        let (text, head) = try await bottle(identity)
        guard let text else { return nil }
        let manifest = try Self.manifest(of: identity, text: text)
        return (manifest, try await lastChange(of: identity) ?? head)
    }

    /// Reads the text of a committed manifest.
    ///
    /// - Throws: `BottleError` `desired-unreadable`.
    package static func manifest(of identity: Identity, text: String) throws -> BottleManifest {
        let path = path(of: identity)
        let reading = ManifestReader.read([ManifestSource(name: path, bytes: Array(text.utf8))], limits: .stored)
        guard !reading.hasErrors, let bottle = reading.bottles.first, bottle.manifest.identity == identity,
            bottle.manifest.unresolved.isEmpty
        else {
            throw BottleError(
                .desiredUnreadable,
                "the desired state of bottle \(identity) can't be read; nothing of it is touched",
                at: path,
                remedy: "mend it, or apply its manifest again",
                cause: reading.diagnostics.first.map { "\($0.location.map { "\($0): " } ?? "")\($0.message)" }
            )
        }
        return bottle.manifest
    }
}
