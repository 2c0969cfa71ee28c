import Reconciler
import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime

/// The way of manifests into the world: shown, confirmed, committed, made so.
struct Launch {
    let context: CommandContext
    let installation: Installation
    let wanted: [BottleManifest]
    /// Whether all remediations of the bottles go.
    var prunesRemediations = false
    /// The revision that the commit is made on; nil: whatever there is.
    var expected: Revision?

    /// One bottle as it would be.
    struct Preview {
        var manifest: BottleManifest
        var assessment: Assessor.Assessment
        /// What it adds to what is committed, and takes away.
        var authority: [AuthorityChange]

        var plan: Plan { assessment.plan }
        var preflight: Preflight { assessment.preflight }
    }

    /// Plans every bottle without changing anything but our own memory of addresses, which is not written here.
    ///
    /// - Throws: the first thing that stands in the way of any of them, such as a secret without a value.
    func preview() async throws -> [Preview] {
        // Our own files and git beside the engine's calls: neither waits for the other.
        let moment = CommandContext.now()
        async let stored = StoredState(
            installation.repository,
            of: wanted,
            at: moment,
            prunesRemediations: prunesRemediations
        )
        let inventory = try await Inventory.take(from: installation.engine)
        let assessor = Assessor(
            engine: installation.engine,
            settings: installation.settings,
            contexts: installation.contexts,
            facts: installation.facts,
            guessesFacts: true
        )
        let desired = try await stored
        var previews: [Preview] = []
        for manifest in wanted {
            let subject = try await installation.subject(
                try desired.remedied(manifest),
                revision: desired.revision(of: manifest)
            )
            let assessment = try await assessor.assess(subject, inventory: inventory)
            if let problem = assessment.plan.findings.compactMap(\.error).first { throw problem }
            previews.append(
                Preview(
                    manifest: subject.manifest,
                    assessment: assessment,
                    authority: try desired.authority(of: manifest)
                )
            )
        }
        return previews
    }

    /// Shows what is about to happen, and asks where somebody can answer.
    ///
    /// - Returns: whether living agents may be ended.
    /// - Throws: `BottleError` `declined`, or `needs-yes` where nobody can answer and a living agent would end.
    func confirm(_ previews: [Preview], yes: Bool) throws -> Bool {
        let busy = previews.filter { !$0.plan.isEmpty || !$0.authority.isEmpty }
        guard !busy.isEmpty else { return yes }
        let console = context.console
        let asks = !yes && console.terminal.inputIsTerminal && console.terminal.errorIsTerminal
        if asks || !context.format.isDocument { busy.forEach(show) }
        guard !yes else { return true }
        let ending = busy.filter(\.plan.replacesAgent).map(\.manifest.identity)
        guard asks else {
            guard ending.isEmpty else { throw BottleError.needsYes(ending) }
            return false
        }
        let names = ending.map(\.name).joined(separator: ", ")
        let question = ending.isEmpty ? "Do this?" : "Do this, and replace the living agent of \(names)?"
        guard console.confirm(question) else { throw BottleError(.declined, "nothing was changed") }
        return true
    }

    private func show(_ preview: Preview) {
        let style = Style(isOn: context.console.colorsErrors)
        context.console.err(PlanText.of(preview.plan, style: style))
        if !preview.authority.isEmpty { context.console.err(AuthorityText.of(preview.authority, style: style)) }
        context.console.err(
            PlanText.of(
                preview.preflight,
                manifest: preview.manifest,
                images: preview.assessment.desired.images,
                style: style
            )
        )
    }

    /// The results of bottles that are all desired as wanted already, and as desired; nil when there is anything to do.
    ///
    /// What a pass would look at has just been looked at, and nothing would be written.
    func settled(_ previews: [Preview]) throws -> [PassResult]? {
        var results: [PassResult] = []
        for preview in previews {
            let identity = preview.manifest.identity
            let record = preview.assessment.record
            guard preview.plan.isEmpty, preview.plan.findings.isEmpty, let converged = record.converged,
                preview.assessment.desired.revision == converged.revision,
                converged.describes(preview.assessment.desired),
                let status = try installation.statuses.load(identity), status[.ready]?.status == .true,
                status[.degraded]?.status != .true, status.observedRevision == converged.revision
            else { return nil }
            results.append(
                PassResult(settled: identity, revision: converged.revision, preflight: preview.preflight)
            )
        }
        return results
    }

    /// Commits every manifest that isn't desired yet, and drops the remediations that it makes superfluous.
    func commit(reason: String) async throws {
        let moment = CommandContext.now()
        let snapshot = try await installation.repository.snapshot()
        let edits = wanted.compactMap { manifest -> AuditedEdit? in
            let identity = manifest.identity
            // A manifest that can't be read any more desired nothing that anybody could name.
            let old = try? snapshot.desired(of: identity, at: moment)?.remedied.manifest
            let new =
                prunesRemediations ? manifest : (try? snapshot.remedied(manifest, at: moment).manifest) ?? manifest
            guard snapshot.bottles[identity] != ManifestDocument.yaml(of: manifest) || old != new else { return nil }
            return AuditedEdit(identity, from: old, to: new)
        }
        _ = try await installation.recording(.apply, of: edits, reason: reason, now: CommandContext.now) {
            try await installation.repository.commit(
                manifests: wanted,
                reason: reason,
                prunesRemediations: prunesRemediations,
                at: moment,
                expecting: expected
            )
        }
    }

    /// Runs a pass of every bottle side by side, each from what the repository then holds.
    func converge(mayEndAgents: Bool) async throws -> [PassResult] {
        let printer = ProgressPrinter(console: context.console, verbose: context.isVerbose)
        return try await withThrowingTaskGroup(of: (Int, PassResult).self) { group in
            for (index, manifest) in wanted.enumerated() {
                group.addTask {
                    let pass = BottlePass(manifest.identity, in: installation, time: .system) {
                        printer.show($0, $1)
                    }
                    return (index, try await pass.run(mayEndAgent: mayEndAgents))
                }
            }
            return try await group.reduce(into: [(Int, PassResult)]()) { $0.append($1) }
                .sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}
