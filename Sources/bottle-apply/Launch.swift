import Reconciler
import ReconcilerManifest
import ReconcilerModel

/// The way of manifests into the world: shown, confirmed, committed, made so.
struct Launch {
    let context: CommandContext
    let installation: Installation
    let wanted: [BottleManifest]

    /// One bottle as it would be.
    struct Preview {
        var manifest: BottleManifest
        var assessment: Assessor.Assessment

        var plan: Plan { assessment.plan }
        var preflight: Preflight { assessment.preflight }
    }

    /// Plans every bottle without changing anything but our own memory of addresses, which is not written here.
    ///
    /// - Throws: the first thing that stands in the way of any of them, such as a secret without a value.
    func preview() async throws -> [Preview] {
        // Our own files and git beside the engine's calls: neither waits for the other.
        async let stored = StoredState(installation.repository, of: wanted)
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
            let subject = try await installation.subject(manifest, revision: desired.revision(of: manifest))
            let assessment = try await assessor.assess(subject, inventory: inventory)
            if let problem = assessment.plan.findings.compactMap(\.error).first { throw problem }
            previews.append(Preview(manifest: manifest, assessment: assessment))
        }
        return previews
    }

    /// Shows what is about to happen, and asks where somebody can answer.
    ///
    /// - Throws: `BottleError` `declined`, or `needs-yes` where nobody can answer and a living agent would end.
    func confirm(_ previews: [Preview], yes: Bool) throws {
        let busy = previews.filter { !$0.plan.isEmpty }
        guard !busy.isEmpty else { return }
        let console = context.console
        let style = Style(isOn: console.colorsErrors)
        let ending = busy.filter(\.plan.replacesAgent).map(\.manifest.identity.name)
        if !context.format.isDocument {
            for preview in busy {
                console.err(PlanText.of(preview.plan, style: style))
                console.err(
                    PlanText.of(
                        preview.preflight,
                        manifest: preview.manifest,
                        images: preview.assessment.desired.images,
                        style: style
                    )
                )
            }
        }
        guard !yes else { return }
        guard console.terminal.inputIsTerminal && console.terminal.errorIsTerminal else {
            guard ending.isEmpty else {
                throw BottleError(
                    "needs-yes",
                    "this would end and replace the living agent of \(ending.joined(separator: ", "))",
                    remedy: "add --yes to do it; nothing was changed"
                )
            }
            return
        }
        let question =
            ending.isEmpty
            ? "Do this?" : "Do this, and replace the living agent of \(ending.joined(separator: ", "))?"
        guard console.confirm(question) else {
            throw BottleError("declined", "nothing was changed")
        }
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
                status.observedRevision == converged.revision
            else { return nil }
            results.append(
                PassResult(
                    identity: identity,
                    revision: converged.revision,
                    performed: [],
                    drift: [],
                    findings: [],
                    preflight: preview.preflight,
                    outcome: .converged
                )
            )
        }
        return results
    }

    /// Commits every manifest that isn't desired yet.
    ///
    /// - Returns: the revision in which each bottle is as wanted.
    func commit(reason: String) async throws -> [Identity: String] {
        var changes: [String: DesiredChange] = [:]
        for manifest in wanted {
            changes[DesiredRepository.path(of: manifest.identity)] = .write(ManifestDocument.yaml(of: manifest))
        }
        let revision = try await installation.repository.commit(changes, message: reason)
        var revisions: [Identity: String] = [:]
        for manifest in wanted {
            revisions[manifest.identity] = try await installation.revision(of: manifest.identity, committed: revision)
        }
        return revisions
    }

    /// Runs a pass of every bottle side by side, each from what the repository holds.
    func converge(to revisions: [Identity: String]) async throws -> [PassResult] {
        let printer = ProgressPrinter(console: context.console, verbose: context.isVerbose)
        let snapshot = try await installation.repository.snapshot()
        return try await withThrowingTaskGroup(of: (Int, PassResult).self) { group in
            for (index, manifest) in wanted.enumerated() {
                let identity = manifest.identity
                let revision = revisions[identity] ?? snapshot.revision.id
                group.addTask {
                    do {
                        let pass = BottlePass(identity, in: installation, now: CommandContext.now) {
                            printer.show($0, $1)
                        }
                        let stored = try StoredManifest.read(snapshot, identity)
                        let result = try await installation.state.lock(of: identity).withLock {
                            try await pass.converge(to: stored, revision: revision)
                        }
                        return (index, result)
                    } catch is CancellationError {
                        throw CancellationError()
                    } catch {
                        // What stops one bottle stops no other.
                        return (index, PassResult(manifest, revision: revision, failed: BottleError(wrapping: error)))
                    }
                }
            }
            return try await group.reduce(into: [(Int, PassResult)]()) { $0.append($1) }
                .sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}

extension PassResult {
    /// A pass that could not begin.
    fileprivate init(_ manifest: BottleManifest, revision: String, failed error: BottleError) {
        self.init(
            identity: manifest.identity,
            revision: revision,
            performed: [],
            drift: [],
            findings: [],
            preflight: Preflight(manifest, caFingerprint: nil),
            outcome: .retry(error)
        )
    }
}
