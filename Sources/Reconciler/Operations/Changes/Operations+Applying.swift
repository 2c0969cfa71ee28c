import Reconciler
package import ReconcilerManifest
package import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime

extension Operations {
    // MARK: - Manifests

    /// The bottles of manifests that can be acted on, standing alone, and warnings.
    ///
    /// - Parameter keepsContexts: whether copies of build contexts are stored, as what commits needs.
    /// - Throws: `InvalidManifest`; `BottleError` `not-built-yet`, `no-bottles`.
    package func resolve(
        _ reading: ManifestReading,
        keepsContexts: Bool
    ) throws -> (manifests: [BottleManifest], warnings: [Diagnostic]) {
        for bottle in reading.bottles {
            let features = unbuiltFeatures(of: bottle.manifest)
            guard features.isEmpty else {
                throw BottleError(
                    .notBuiltYet,
                    "this version of bottle does not act on \(features.joined(separator: ", ")) yet",
                    at: bottle.location.description,
                    remedy: "remove it from the manifest to go on without it"
                )
            }
        }
        guard !reading.bottles.isEmpty else {
            throw BottleError(
                .noBottles,
                "there is no bottle in what was named",
                remedy: "add a document of kind: Bottle"
            )
        }
        let resolver = ManifestResolver(
            home: paths.home ?? "/",
            environment: environment,
            contextStore: keepsContexts ? "\(paths.state)/contexts" : nil,
            stateFolder: paths.state
        )
        let resolutions = reading.bottles.map { resolver.resolve($0) }
        let diagnostics = reading.diagnostics + resolutions.flatMap(\.diagnostics)
        guard !diagnostics.contains(where: { $0.severity == .error }) else {
            throw InvalidManifest(diagnostics: diagnostics)
        }
        return (resolutions.compactMap(\.manifest), diagnostics)
    }

    /// The revision with this name, when the desired state is at it.
    ///
    /// - Throws: `BottleError` `desired-moved` when it is at another one, `no-revision`.
    package func expectedRevision(named name: String) async throws -> Revision {
        guard let repository = try repository() else {
            throw BottleError(.desiredMoved, "nothing was ever applied: there is no revision \(name)")
        }
        let expected = try await repository.revision(named: name)
        try await repository.expect(expected)
        return expected
    }

    // MARK: - Plans

    /// What `prepare(applying:)` would come to; nothing is made, and the engine can't be changed.
    ///
    /// - Throws: the first thing that stands in the way of any of them.
    package func plan(
        applying manifests: [BottleManifest],
        prunesRemediations: Bool = false
    ) async throws -> [PlannedBottle] {
        let bottles = try await planned(
            manifests,
            prunesRemediations: prunesRemediations,
            by: try await preview()
        )
        for bottle in bottles {
            let problems = bottle.plan.findings.compactMap { $0.error ?? $0.refusedLoad(of: bottle.identity) }
            if let problem = problems.first { throw problem }
        }
        return bottles
    }

    /// What a pass would do to bottles as they are committed.
    ///
    /// - Parameter names: empty: every bottle, also what is left of those that a commit deleted.
    /// - Throws: as `plan(applying:)`, and `BottleError` `not-found`.
    package func plan(committed names: [Identity]) async throws -> [PlannedBottle] {
        let snapshot = try await snapshot()
        let wanted = try (names.isEmpty ? snapshot?.bottles.keys.sorted() ?? [] : names).map { identity in
            guard let text = snapshot?.bottles[identity] else { throw BottleError.missing(identity) }
            return try DesiredRepository.manifest(of: identity, text: text)
        }
        let bottles = try await plan(applying: wanted)
        guard names.isEmpty, let snapshot, let state = try state() else { return bottles }
        return bottles + (try await teardowns(of: state, snapshot))
    }

    /// Bottles that are no longer desired, though there is still a record of them: a delete was stopped half-way.
    private func teardowns(of state: StateFolder, _ snapshot: DesiredSnapshot) async throws -> [PlannedBottle] {
        let records = try JSONStore<BottleRecord>(folder: state.records, noun: "record").loadAll()
        let deleted = records.filter { snapshot.bottles[$0.key] == nil }.sorted { $0.key < $1.key }
        guard !deleted.isEmpty else { return [] }
        let engine = try await reading()
        let inventory = try await Inventory.take(from: engine)
        var bottles: [PlannedBottle] = []
        for (identity, record) in deleted {
            let observed = try await Observer(engine: engine).bottle(
                DesiredBottle(identity: identity, revision: nil),
                installation: state.installation,
                inventory: inventory,
                images: [:]
            )
            let plan = Planner.teardown(identity, observed: observed, record: record)
            bottles.append(PlannedBottle(identity: identity, plan: plan, base: snapshot.revision))
        }
        return bottles
    }

    // MARK: - The change

    /// Prepares to commit manifests, with everything they refer to, and to make bottles what they say.
    ///
    /// - Parameters:
    ///   - reason: for the history of the desired state.
    ///   - prunesRemediations: whether all remediations of the bottles go.
    ///   - expected: the revision that the commit is made on; nil: whatever there is.
    /// - Throws: the first thing that stands in the way of any of them, such as a secret without a value.
    package func prepare(
        applying manifests: [BottleManifest],
        reason: String,
        prunesRemediations: Bool = false,
        expecting expected: Revision? = nil
    ) async throws -> PreparedChange {
        let installation = try await installation()
        let bottles = try await planned(
            manifests,
            prunesRemediations: prunesRemediations,
            by: Preview(installation)
        )
        if let problem = bottles.compactMap(\.problem).first { throw problem }
        return PreparedChange(
            .apply,
            of: manifests.map(\.identity),
            bottles: bottles,
            settled: try settled(bottles, in: installation),
            commit: {
                try await installation.commit(manifests, reason, prunesRemediations, expecting: expected)
            },
            converge: { mayEndAgents, progress in
                try await installation.converge(manifests.map(\.identity), mayEndAgents, progress)
            }
        )
    }

    /// The results of bottles that are all desired as wanted already, and as desired; nil when there is anything to do.
    ///
    /// What a pass would look at has just been looked at, and nothing would be written.
    private func settled(_ bottles: [PlannedBottle], in installation: Installation) throws -> [PassResult]? {
        var results: [PassResult] = []
        for bottle in bottles {
            guard bottle.plan.isEmpty, bottle.plan.findings.isEmpty, let assessment = bottle.assessment,
                let converged = assessment.record.converged,
                assessment.desired.revision == converged.revision, converged.describes(assessment.desired),
                let status = try installation.statuses.load(bottle.identity), status[.ready]?.status == .true,
                status[.degraded]?.status != .true, status.observedRevision == converged.revision
            else { return nil }
            results.append(
                PassResult(settled: bottle.identity, revision: converged.revision, preflight: bottle.preflight)
            )
        }
        return results
    }
}

extension Installation {
    /// Commits every manifest that isn't desired yet, and drops the remediations that it makes superfluous.
    fileprivate func commit(
        _ manifests: [BottleManifest],
        _ reason: String,
        _ prunesRemediations: Bool,
        expecting expected: Revision?
    ) async throws -> Revision? {
        let moment = Operations.moment()
        let snapshot = try await repository.snapshot()
        let edits = manifests.compactMap { manifest -> AuditedEdit? in
            let identity = manifest.identity
            // A committed manifest that can't be read desired nothing that could be named.
            let old = try? snapshot.desired(of: identity, at: moment)?.remedied.manifest
            let new =
                prunesRemediations ? manifest : (try? snapshot.remedied(manifest, at: moment).manifest) ?? manifest
            guard snapshot.bottles[identity] != ManifestDocument.yaml(of: manifest) || old != new else { return nil }
            return AuditedEdit(identity, from: old, to: new)
        }
        return try await recording(.apply, of: edits, reason: reason, now: Operations.moment) {
            try await repository.commit(
                manifests: manifests,
                reason: reason,
                prunesRemediations: prunesRemediations,
                at: moment,
                expecting: expected
            )
        }
    }

    /// Runs a pass of every bottle side by side.
    fileprivate func converge(
        _ identities: [Identity],
        _ mayEndAgents: Bool,
        _ progress: @escaping Operations.Progress
    ) async throws -> [PassResult] {
        try await withThrowingTaskGroup(of: (Int, PassResult).self) { group in
            for (index, identity) in identities.enumerated() {
                group.addTask {
                    let pass = BottlePass(identity, in: self, time: .system, report: progress)
                    return (index, try await pass.run(mayEndAgent: mayEndAgents))
                }
            }
            return try await group.reduce(into: [(Int, PassResult)]()) { $0.append($1) }
                .sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}
