import Reconciler
import ReconcilerEngine
import ReconcilerManifest
package import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime

/// One bottle as a change would leave it, and what a pass would do about that.
package struct PlannedBottle: Sendable {
    package var identity: Identity
    /// With its remediations; nil: the bottle is no longer desired.
    package var manifest: BottleManifest?
    package var plan: Plan
    package var preflight = Preflight.none
    package var images: [DesiredImage] = []
    /// What it may do that what is committed does not let it do, and the other way round.
    package var authority: [AuthorityChange] = []
    /// What a commit does to it, in lines.
    package var notes: [String] = []
    /// The revision of the desired state that this was worked out from; nil: nothing was ever applied.
    package var base: Revision?
    /// Nil: the bottle is no longer desired.
    var assessment: Assessor.Assessment?

    /// Whether a commit or a pass would change anything of it.
    package var hasChanges: Bool { !plan.isEmpty || !authority.isEmpty || !notes.isEmpty }

    /// What keeps the whole plan from being carried out.
    var problem: BottleError? { plan.findings.compactMap(\.error).first }
}

extension PlannedBottle {
    init(
        _ assessment: Assessor.Assessment,
        of manifest: BottleManifest,
        authority: [AuthorityChange],
        notes: [String] = [],
        base: Revision?
    ) {
        self.init(
            identity: manifest.identity,
            manifest: manifest,
            plan: assessment.plan,
            preflight: assessment.preflight,
            images: assessment.desired.images,
            authority: authority,
            notes: notes,
            base: base,
            assessment: assessment
        )
    }
}

/// Assesses bottles against one engine without changing anything.
struct Preview: Sendable {
    let engine: any EngineReading
    /// Nil: nothing was ever applied.
    let repository: DesiredRepository?
    private let reader: SubjectReader
    private let assessor: Assessor

    init(
        engine: any EngineReading,
        settings: Settings,
        contexts: BuildContexts,
        state: StateFolder?,
        repository: DesiredRepository?,
        credentials: Credentials,
        supervision: @escaping @Sendable (Identity) -> Supervision?
    ) {
        self.engine = engine
        self.repository = repository
        reader = SubjectReader(state: state, credentials: credentials, supervision: supervision)
        assessor = Assessor(
            engine: engine,
            settings: settings,
            contexts: contexts,
            facts: state.map { ImageFactsStore(folder: $0.images) },
            guessesFacts: true
        )
    }

    /// - Parameter credentials: nil: those of the installation, which may run programs and ask for a passphrase.
    init(_ installation: Installation, credentials: Credentials? = nil) {
        self.init(
            engine: installation.engine,
            settings: installation.settings,
            contexts: installation.contexts,
            state: installation.state,
            repository: installation.repository,
            credentials: credentials ?? installation.credentials,
            supervision: installation.supervision(of:)
        )
    }

    func assess(
        _ bottle: RemediedBottle,
        revision: Revision?,
        against inventory: Inventory
    ) async throws -> Assessor.Assessment {
        try await assessor.assess(try await reader.subject(bottle, revision: revision), inventory: inventory)
    }
}

extension Operations {
    /// A preview before there is any state: nothing is made, no program is run.
    func preview() async throws -> Preview {
        let (state, path) = (try state(), paths.state)
        let engine = try await reading()
        let settings = try settings()
        let isLocal = try connection.isLocal
        return Preview(
            engine: engine,
            settings: settings,
            contexts: try buildContexts(state),
            state: state,
            repository: try repository(),
            credentials: try readingCredentials(state: state, settings: settings)
        ) { identity in
            guard isLocal else { return nil }
            return state?.supervision(of: identity) ?? StateFolder.supervision(of: identity, in: path)
        }
    }

    /// Plans manifests, with the remediations of their bottles, against one inventory.
    ///
    /// - Parameter prunesRemediations: whether the remediations of these bottles are about to go.
    func planned(
        _ manifests: [BottleManifest],
        prunesRemediations: Bool = false,
        by preview: Preview
    ) async throws -> [PlannedBottle] {
        // Our own files and git beside the engine's calls: neither waits for the other.
        async let stored = CommittedState(
            preview.repository,
            of: manifests,
            at: Self.moment(),
            prunesRemediations: prunesRemediations
        )
        let inventory = try await Inventory.take(from: preview.engine)
        let committed = try await stored
        var bottles: [PlannedBottle] = []
        for manifest in manifests {
            let bottle = try committed.remedied(manifest)
            let assessment = try await preview.assess(
                bottle,
                revision: committed.revision(of: manifest),
                against: inventory
            )
            bottles.append(
                PlannedBottle(
                    assessment,
                    of: bottle.manifest,
                    authority: committed.authority(to: bottle.manifest),
                    base: committed.base
                )
            )
        }
        return bottles
    }
}

/// What is committed of some bottles: tells an edit from what is desired already, and what an edit changes.
private struct CommittedState: Sendable {
    private let snapshot: DesiredSnapshot?
    private let moment: Timestamp
    private let prunesRemediations: Bool
    private var revisions: [Identity: Revision] = [:]

    /// Looks `manifests` up; without a repository none is committed.
    init(
        _ repository: DesiredRepository?,
        of manifests: [BottleManifest],
        at moment: Timestamp,
        prunesRemediations: Bool
    ) async throws {
        self.moment = moment
        self.prunesRemediations = prunesRemediations
        snapshot = try await repository?.snapshot()
        guard let repository, let snapshot else { return }
        for manifest in manifests
        where !(prunesRemediations && snapshot.hasRemediations(of: manifest.identity))
            && snapshot.bottles[manifest.identity] == ManifestDocument.yaml(of: manifest)
        {
            revisions[manifest.identity] = try await repository.lastChange(of: manifest.identity)
        }
    }

    var base: Revision? { snapshot?.revision }

    /// The revision that holds exactly this manifest; nil for one that isn't committed.
    func revision(of manifest: BottleManifest) -> Revision? { revisions[manifest.identity] }

    /// What the bottle's remediations make of `manifest`.
    ///
    /// - Throws: `BottleError` `remediation-unreadable`.
    func remedied(_ manifest: BottleManifest) throws -> RemediedBottle {
        guard !prunesRemediations, let snapshot else { return RemediedBottle(manifest) }
        return try snapshot.remedied(manifest, at: moment)
    }

    func authority(to manifest: BottleManifest) -> [AuthorityChange] {
        // A committed manifest that can't be read allows nothing that could be named.
        let committed = try? snapshot?.desired(of: manifest.identity, at: moment)?.remedied.manifest
        return Authority.changes(from: committed, to: manifest)
    }
}
