import Reconciler
import ReconcilerManifest
import ReconcilerModel

/// A resolved manifest as the desired-state repository holds it.
enum StoredManifest {
    /// The manifest of `identity` in a snapshot.
    ///
    /// - Throws: `BottleError` `not-found`, or `desired-unreadable` when a person has edited it into nonsense.
    static func read(_ snapshot: DesiredSnapshot, _ identity: Identity) throws -> BottleManifest {
        guard let text = snapshot.bottles[identity] else { throw missing(identity) }
        return try DesiredRepository.manifest(of: identity, text: text)
    }

    static func missing(_ identity: Identity) -> BottleError {
        BottleError(
            "not-found",
            "there is no bottle '\(identity)'",
            remedy: "`bottle get` lists those there are"
        )
    }
}

/// In which revisions manifests are committed as they are, for telling an edit from what is desired already.
struct StoredState: Sendable {
    private var revisions: [Identity: String] = [:]

    /// Looks `manifests` up; without a repository none is committed.
    init(_ repository: DesiredRepository?, of manifests: [BottleManifest]) async throws {
        guard let repository else { return }
        let snapshot = try await repository.snapshot()
        for manifest in manifests where snapshot.bottles[manifest.identity] == ManifestDocument.yaml(of: manifest) {
            revisions[manifest.identity] = try await repository.lastChange(of: manifest.identity)?.id
        }
    }

    /// The revision that holds exactly this manifest; empty for one that isn't committed.
    func revision(of manifest: BottleManifest) -> String { revisions[manifest.identity] ?? "" }
}
