import Reconciler
import ReconcilerManifest
import ReconcilerModel
import ReconcilerState
import ReconcilerTime

/// A resolved manifest as the desired-state repository holds it.
enum StoredManifest {
    /// The manifest of `identity` in a snapshot.
    ///
    /// - Throws: `BottleError` `not-found`, or `desired-unreadable` when a person has edited it into nonsense.
    static func read(_ snapshot: DesiredSnapshot, _ identity: Identity) throws -> BottleManifest {
        guard let text = snapshot.bottles[identity] else { throw BottleError.missing(identity) }
        return try DesiredRepository.manifest(of: identity, text: text)
    }
}

extension CommandContext {
    /// Everything that is desired; nil when nothing was ever applied.
    func snapshot() async throws -> DesiredSnapshot? {
        try await openRepository()?.snapshot()
    }

    /// What is desired of a bottle now, its remediations applied.
    ///
    /// - Throws: `BottleError` `not-found` when it is not desired, `desired-unreadable`, `remediation-unreadable`.
    func desired(of identity: Identity) async throws -> DesiredState {
        let moment = Self.now()
        guard let state = try await snapshot()?.desired(of: identity, at: moment) else {
            throw BottleError.missing(identity)
        }
        return state
    }
}

/// What is committed of some bottles: for telling an edit from what is desired already, and what an edit changes.
struct StoredState: Sendable {
    private let snapshot: DesiredSnapshot?
    private let moment: Timestamp
    private let prunesRemediations: Bool
    private var revisions: [Identity: String] = [:]

    /// Looks `manifests` up; without a repository none is committed.
    ///
    /// - Parameter prunesRemediations: whether the remediations of these bottles are about to go.
    init(
        _ repository: DesiredRepository?,
        of manifests: [BottleManifest],
        at moment: Timestamp,
        prunesRemediations: Bool = false
    ) async throws {
        self.moment = moment
        self.prunesRemediations = prunesRemediations
        snapshot = try await repository?.snapshot()
        guard let repository, let snapshot else { return }
        for manifest in manifests
        where !(prunesRemediations && snapshot.hasRemediations(of: manifest.identity))
            && snapshot.bottles[manifest.identity] == ManifestDocument.yaml(of: manifest)
        {
            revisions[manifest.identity] = try await repository.lastChange(of: manifest.identity)?.id
        }
    }

    /// The revision that holds exactly this manifest; empty for one that isn't committed.
    func revision(of manifest: BottleManifest) -> String { revisions[manifest.identity] ?? "" }

    /// What the bottle's remediations make of `manifest`.
    ///
    /// - Throws: `BottleError` `remediation-unreadable`.
    func remedied(_ manifest: BottleManifest) throws -> RemediedBottle {
        guard !prunesRemediations, let snapshot else { return RemediedBottle(manifest) }
        return try snapshot.remedied(manifest, at: moment)
    }

    /// What `manifest`, with its remediations, allows that what is committed does not, and the other way round.
    ///
    /// - Throws: `BottleError` `remediation-unreadable`.
    func authority(of manifest: BottleManifest) throws -> [AuthorityChange] {
        // A manifest that can't be read any more allows nothing that anybody could name.
        let committed = try? snapshot?.desired(of: manifest.identity, at: moment)?.remedied.manifest
        return Authority.changes(from: committed, to: try remedied(manifest).manifest)
    }
}
