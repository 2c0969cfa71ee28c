import ArgumentParser
import Reconciler
import ReconcilerEngine
import ReconcilerManifest
import ReconcilerModel

/// Plans without a way to change anything: what `diff` and `apply --dry-run` show.
struct PlanShowing {
    let context: CommandContext

    /// Plans the bottles of manifests.
    func show(manifests: ManifestArguments) async throws {
        try await show(try manifests.resolved(context, contexts: "\(context.paths.state)/contexts"))
    }

    /// Plans resolved manifests, prints the plans, and exits 2 when there is anything to do.
    func show(_ wanted: [BottleManifest]) async throws {
        let engine = try await context.engine()
        defer { engine.close() }
        let planned = try await plans(of: wanted, engine: engine)
        let document = PlanDocument(
            kind: .plan,
            bottles: planned.map { assessment in
                PlanDocument.Bottle(
                    identity: assessment.desired.identity.name,
                    actions: assessment.plan.actions.map(PlanDocument.Step.init),
                    drift: assessment.plan.drift.map(PlanDocument.Change.init),
                    preflight: assessment.preflight
                )
            }
        )
        if let problem = planned.flatMap(\.plan.findings).compactMap(\.error).first { throw problem }
        let style = Style(isOn: context.console.colorsOutput)
        try context.show(document) { planned.map { PlanText.of($0.plan, style: style) }.joined(separator: "\n") }
        if document.summary.actions > 0 { throw ExitStatus.changesPending }
    }

    /// Assesses resolved manifests against one inventory.
    func plans(
        of wanted: [BottleManifest],
        engine: any EngineReading
    ) async throws -> [Assessor.Assessment] {
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
            credentials: try context.readingCredentials(state: state, settings: settings)
        )
        let repository = try state.flatMap {
            try DesiredRepository.open(in: $0, environment: context.environment)
        }
        async let stored = StoredState(repository, of: wanted)
        let inventory = try await Inventory.take(from: engine)
        let desired = try await stored
        var assessments: [Assessor.Assessment] = []
        for manifest in wanted {
            let subject = try await reader.subject(manifest, revision: desired.revision(of: manifest))
            assessments.append(try await assessor.assess(subject, inventory: inventory))
        }
        return assessments
    }
}
