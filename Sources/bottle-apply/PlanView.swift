import ArgumentParser
import Reconciler
import ReconcilerEngine
import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState

/// Plans without a way to change anything: what `diff` and `apply --dry-run` show.
struct PlanView {
    let context: CommandContext
    /// Whether the bottles are planned without their remediations.
    var prunesRemediations = false

    /// Plans the bottles of manifests.
    func show(manifests: ManifestArguments) async throws {
        try await show(try manifests.resolved(context, contexts: nil))
    }

    /// Plans resolved manifests, prints the plans, and exits 2 when there is anything to do.
    ///
    /// - Parameter deleted: bottles that are desired no more, though not all of them is gone.
    func show(_ wanted: [BottleManifest], deleted: [Identity] = []) async throws {
        let engine = try await context.engine()
        defer { engine.close() }
        let (planned, authority) = try await planned(wanted, engine: engine)
        let findings = planned.flatMap { assessment in
            assessment.plan.findings.map { ($0, assessment.desired.identity) }
        }
        if let problem = findings.compactMap({ $0.error ?? $0.refusedLoad(of: $1) }).first { throw problem }
        let shown =
            zip(planned, authority).map { (plan: $0.plan, preflight: $0.preflight, authority: $1) }
            + (try await teardowns(of: deleted, engine: engine)).map { (plan: $0, preflight: .none, authority: []) }
        let document = PlanDocument(
            kind: .plan,
            bottles: shown.map { shown in
                var bottle = PlanDocument.Bottle(shown.plan, preflight: shown.preflight)
                bottle.authority = shown.authority
                return bottle
            }
        )
        let style = Style(isOn: context.console.colorsOutput)
        try context.show(document) {
            shown.map { shown in
                let authority = AuthorityText.of(shown.authority, style: style)
                return PlanText.of(shown.plan, style: style) + (shown.authority.isEmpty ? "" : "\n" + authority)
            }.joined(separator: "\n")
        }
        if document.summary.actions > 0 { throw ExitStatus.changesPending }
    }

    private func teardowns(of deleted: [Identity], engine: any EngineReading) async throws -> [Plan] {
        guard !deleted.isEmpty, let state = try StateFolder.open(context.paths.state) else { return [] }
        let records = JSONStore<BottleRecord>(folder: state.records, noun: "record")
        let inventory = try await Inventory.take(from: engine)
        var plans: [Plan] = []
        for identity in deleted {
            guard let record = try records.load(identity) else { continue }
            let observed = try await Observer(engine: engine).bottle(
                DesiredBottle(identity: identity, revision: ""),
                installation: state.installation,
                inventory: inventory,
                images: [:]
            )
            plans.append(Planner.teardown(identity, observed: observed, record: record))
        }
        return plans
    }

    /// Assesses resolved manifests, with the remediations of their bottles, against one inventory.
    func plans(
        of wanted: [BottleManifest],
        engine: any EngineReading
    ) async throws -> [Assessor.Assessment] {
        try await planned(wanted, engine: engine).assessments
    }

    /// The same, and for each what it adds to what is committed, and takes away.
    private func planned(
        _ wanted: [BottleManifest],
        engine: any EngineReading
    ) async throws -> (assessments: [Assessor.Assessment], authority: [[AuthorityChange]]) {
        let state = try StateFolder.open(context.paths.state)
        let settings = try context.settings()
        let assessor = Assessor(
            engine: engine,
            settings: settings,
            contexts: try context.buildContexts(state),
            facts: state.map { ImageFactsStore(folder: $0.images) },
            guessesFacts: true
        )
        let reader = SubjectReader(
            state: state,
            credentials: try context.readingCredentials(state: state, settings: settings),
            supervision: try context.supervision(state)
        )
        let repository = try state.flatMap {
            try DesiredRepository.open(in: $0, environment: context.environment)
        }
        let moment = CommandContext.now()
        async let stored = StoredState(
            repository,
            of: wanted,
            at: moment,
            prunesRemediations: prunesRemediations
        )
        let inventory = try await Inventory.take(from: engine)
        let desired = try await stored
        var assessments: [Assessor.Assessment] = []
        for manifest in wanted {
            let effective = try desired.remedied(manifest)
            let subject = try await reader.subject(effective, revision: desired.revision(of: manifest))
            assessments.append(try await assessor.assess(subject, inventory: inventory))
        }
        return (assessments, try wanted.map { try desired.authority(of: $0) })
    }
}
