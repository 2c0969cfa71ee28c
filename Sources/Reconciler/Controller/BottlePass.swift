import ReconcilerEngine
package import ReconcilerModel

/// One pass over one bottle: observe, diff, plan, act, look again, record.
///
/// Level-triggered: it may be killed at any instant; the next pass starts from what is then there. The caller holds
/// the bottle's lock.
package struct BottlePass: Sendable {
    private let installation: Installation
    private let identity: Identity
    private let now: @Sendable () -> String
    private let report: @Sendable (Identity, PlanExecutor.Progress) -> Void

    /// - Parameter now: the time, as RFC 3339 in UTC.
    package init(
        _ identity: Identity,
        in installation: Installation,
        now: @escaping @Sendable () -> String,
        report: @escaping @Sendable (Identity, PlanExecutor.Progress) -> Void
    ) {
        self.identity = identity
        self.installation = installation
        self.now = now
        self.report = report
    }

    /// Rounds of look, plan and act before a bottle that never settles is given up for this pass.
    private static let rounds = 6

    /// Brings the bottle to `manifest`, which `revision` of the desired state holds.
    ///
    /// - Throws: `BottleError` or `EngineError` when nothing could be begun, `CancellationError`.
    package func converge(to manifest: BottleManifest, revision: String) async throws -> PassResult {
        let secrets = try await installation.credentials.values(manifest.secrets)
        let needsAuthority = Topology(manifest).roles.contains(.egressProxy)
        let authority = needsAuthority ? try await installation.credentials.authority(identity, true) : nil
        let ledger = try await reserveAddresses(for: manifest)
        var result = PassResult(
            identity: identity,
            revision: revision,
            performed: [],
            drift: [],
            findings: [],
            preflight: Preflight(manifest, caFingerprint: authority?.fingerprint),
            outcome: .converged
        )
        for round in 0..<Self.rounds {
            let subject = Assessor.Subject(
                manifest: manifest,
                revision: revision,
                record: await ledger.current,
                fingerprints: try fingerprints(secrets),
                authority: authority?.material,
                caFingerprint: authority?.fingerprint,
                reserved: try installation.reserved(exceptFor: identity)
            )
            let assessment = try await look(subject)
            if round == 0 { result.drift = assessment.plan.drift }
            result.findings = assessment.plan.findings
            if let problem = assessment.plan.findings.compactMap(\.error).first {
                result.outcome = .stalled(problem)
                break
            }
            guard !assessment.plan.isEmpty else {
                try await ledger.commit { record in
                    record.settle(
                        assessment.desired,
                        observed: assessment.observed,
                        networks: assessment.networks,
                        agentExit: assessment.plan.agentExit
                    )
                }
                result.outcome = outcome(of: assessment.plan)
                break
            }
            let performed = try await act(on: assessment, ledger: ledger, secrets: secrets)
            result.performed += performed
            if let failed = performed.first(where: { $0.outcome == .failed }) {
                // Addresses that the engine refused were given up: the next round has others.
                if await ledger.current.addresses != assessment.record.addresses { continue }
                result.outcome = .retry(failure(failed))
                break
            }
            if round == Self.rounds - 1 {
                result.outcome = .retry(
                    BottleError("not-converging", "the bottle changed again after each round", at: identity.name)
                )
            }
        }
        try saveStatus(result)
        return result
    }

    // MARK: - Looking

    private func assessor() -> Assessor {
        Assessor(
            engine: installation.engine,
            settings: installation.settings,
            contexts: installation.contexts,
            facts: installation.facts,
            guessesFacts: false
        )
    }

    /// Assesses the bottle, after looking into an agent's image that is here and was never looked into.
    private func look(_ subject: Assessor.Subject) async throws -> Assessor.Assessment {
        let inventory = try await Inventory.take(from: installation.engine)
        let first = try await assessor().assess(subject, inventory: inventory)
        guard let image = first.unknownImage else { return first }
        try await installation.state.sharedLock.withLock {
            guard installation.facts.load(image) == nil else { return }
            let probe = ImageProbe(engine: installation.engine, installation: installation.state.installation)
            try await probe.sweep(inventory)
            try installation.facts.save(try await probe.facts(of: image))
        }
        return try await assessor().assess(subject, inventory: try await Inventory.take(from: installation.engine))
    }

    private func fingerprints(
        _ secrets: [SecretReference: SecretValue]
    ) throws -> [SecretReference: String] {
        var fingerprints: [SecretReference: String] = [:]
        for (reference, value) in secrets {
            fingerprints[reference] = try installation.credentials.fingerprint(reference, value)
        }
        return fingerprints
    }

    /// Gives the bottle the addresses it lacks, under the lock that all bottles share, and makes them durable.
    private func reserveAddresses(for manifest: BottleManifest) async throws -> Ledger {
        let records = installation.records
        let save: @Sendable (BottleRecord) throws -> Void = { try records.save($0, for: identity) }
        let record = try installation.record(of: identity)
        let wanted = Topology(manifest).ownNetworks
        guard wanted.contains(where: { record.addresses[$0] == nil }) else { return Ledger(record, save: save) }
        return try await installation.state.sharedLock.withLock {
            var record = try installation.record(of: identity)
            let inventory = try await Inventory.take(from: installation.engine)
            let own = Set(wanted.map { Names.network(identity, $0) })
            try record.addresses.assign(
                wanted,
                from: installation.settings.networkPool,
                avoiding: inventory.usedBlocks(exceptOf: own)
                    + installation.reserved(exceptFor: identity) + record.avoided.compactMap { try? IPv4Block($0) }
            )
            try save(record)
            return Ledger(record, save: save)
        }
    }

    // MARK: - Acting

    private func act(
        on assessment: Assessor.Assessment,
        ledger: Ledger,
        secrets: [SecretReference: SecretValue]
    ) async throws -> [PerformedAction] {
        let plan = assessment.plan
        let images = plan.actions.filter { if case .image = $0.object { true } else { false } }
        guard images.isEmpty else {
            // Containers can't be described before their images are there: the next round plans them. A way out that
            // should not be is shut first all the same: a build can take long.
            let shut = plan.actions.filter { $0.verb == .disconnect && $0.reason == .foreignNetwork }
            let only = Plan(
                identity: identity,
                actions: shut.map { action in
                    var action = action
                    action.after = []
                    return action
                } + images.map { Action($0.verb, $0.object, $0.reason) }
            )
            return try await installation.state.sharedLock.withLock {
                try await run(only, assessment, ledger: ledger, secrets: secrets)
            }
        }
        try await ledger.commit { record in
            record.addresses = assessment.record.addresses
            record.prepare(for: plan, desired: assessment.desired)
        }
        return try await run(plan, assessment, ledger: ledger, secrets: secrets)
    }

    private func run(
        _ plan: Plan,
        _ assessment: Assessor.Assessment,
        ledger: Ledger,
        secrets: [SecretReference: SecretValue]
    ) async throws -> [PerformedAction] {
        let report: @Sendable (PlanExecutor.Progress) -> Void = { self.report(identity, $0) }
        let performer = ActionPerformer(
            engine: installation.engine,
            desired: assessment.desired,
            installation: installation.state.installation,
            secrets: Dictionary(uniqueKeysWithValues: secrets.map { ($0.key.name, $0.value) }),
            networks: assessment.networks,
            ledger: ledger,
            contexts: assessment.contexts,
            output: { report(.output($0, $1)) }
        )
        return try await PlanExecutor(perform: performer.perform, report: report).execute(plan)
    }

    // MARK: - Removing

    /// Removes everything of the bottle from the engine, its volumes included, then what we remember of it.
    ///
    /// The caller has committed the bottle's removal; a pass that dies here is repeated by the next `delete`.
    package func tearDown() async throws -> [PerformedAction] {
        let engine = installation.engine
        let ledger = Ledger(try installation.record(of: identity)) { _ in }
        let inventory = try await Inventory.take(from: engine)
        let nothing = DesiredBottle(identity: identity, revision: "")
        let observed = try await Observer(engine: engine).bottle(
            nothing,
            installation: installation.state.installation,
            inventory: inventory,
            images: [:]
        )
        let plan = Planner.teardown(identity, observed: observed, record: await ledger.current)
        let performer = ActionPerformer(
            engine: engine,
            desired: nothing,
            installation: installation.state.installation,
            secrets: [:],
            networks: [:],
            ledger: ledger,
            contexts: [:],
            output: { _, _ in }
        )
        let performed = try await PlanExecutor(perform: performer.perform) { report(identity, $0) }.execute(plan)
        guard performed.allSatisfy({ $0.outcome == .done }) else { return performed }
        try installation.statuses.remove(identity)
        try installation.state.forgetTrust(of: identity)
        // Last: as long as it is there, a killed delete can be repeated.
        try installation.records.remove(identity)
        return performed
    }

    // MARK: - Telling

    private func failure(_ performed: PerformedAction) -> BottleError {
        BottleError(
            "action-failed",
            "could not \(performed.action.verb.rawValue) \(performed.action.object)",
            at: identity.name,
            remedy: "mend the cause and apply again: a pass goes on from what is there",
            cause: performed.error
        )
    }

    /// A plan without actions is convergence, unless a sidecar refuses what it should load.
    private func outcome(of plan: Plan) -> PassOutcome {
        for finding in plan.findings {
            guard case .reloadRefused(let role, let reason) = finding else { continue }
            return .retry(
                BottleError(
                    "load-refused",
                    "\(role.rawValue) refuses its new files: \(reason); what it had stays in force",
                    at: Names.container(identity, role),
                    remedy: "see `docker logs \(Names.container(identity, role))`"
                )
            )
        }
        return .converged
    }

    private func saveStatus(_ result: PassResult) throws {
        let before = try installation.statuses.load(identity)
        var status = before ?? BottleStatus()
        status.take(result, at: now())
        if status != before { try installation.statuses.save(status, for: identity) }
    }
}
