import ReconcilerEngine
package import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
package import ReconcilerTime

/// One pass over one bottle: observe, diff, plan, act, look again, record.
///
/// Level-triggered: it may be killed at any instant; the next pass starts from what is then there.
package struct BottlePass: Sendable {
    let installation: Installation
    let identity: Identity
    package let id: PassID
    let time: TimeSource
    let report: @Sendable (Identity, PlanExecutor.Progress) -> Void
    /// Whether an agent that ended is not started again by this pass, whatever its `restart` says.
    package var letsAgentRest = false
    /// The containers whose files are read whole, once nothing is left to do that a look from outside shows: a program
    /// that edits a file can give it the old size and time again.
    package var reading: Set<Role> = []
    /// How long a sidecar may take to say what it has loaded.
    package var patience: Duration = .seconds(30)
    /// Where the pass finds inventories that other passes took; nil: it takes its own.
    package var inventories: CachedInventory?
    /// The pass's slot among others; nil: nothing bounds it.
    var slot: PassSlot?

    /// The inventory cache, and the earliest time that an inventory must be from to be good for this pass.
    package struct CachedInventory: Sendable {
        package var cache: InventoryCache
        /// The pass reacts to what happened up to this moment.
        package var since: ContinuousClock.Instant

        package init(cache: InventoryCache, since: ContinuousClock.Instant) {
            self.cache = cache
            self.since = since
        }
    }

    /// - Parameter time: the time of what it records, and what it waits by.
    package init(
        _ identity: Identity,
        in installation: Installation,
        id: PassID = .random(),
        time: TimeSource,
        report: @escaping @Sendable (Identity, PlanExecutor.Progress) -> Void
    ) {
        self.identity = identity
        self.id = id
        self.installation = installation
        self.time = time
        self.report = report
    }

    /// Rounds of look, plan and act before a bottle that never settles is given up for this pass; the last one only
    /// looks.
    private static let rounds = 10

    /// When the values of secrets are found.
    package enum SecretUse: Sendable {
        /// All of them, before anything else: a person waits, who may be asked for a passphrase.
        case first
        /// Only what can be had by looking; the rest when a container that holds them must be made. Until then a value
        /// that can't be had is taken to be the one that is in place.
        case asNeeded
    }

    /// Brings the bottle to what the repository holds of it when the bottle's lock is ours.
    ///
    /// - Parameter mayEndAgent: whether a living agent may be ended for a desired-state edit; otherwise such a plan is
    ///   not begun.
    /// - Returns: what was done, whatever it ended with; the status says the same.
    /// - Throws: `CancellationError`; `BottleError` when even the status can't be written.
    package func run(mayEndAgent: Bool) async throws -> PassResult {
        if let result = try await runIfDesired(mayEndAgent: mayEndAgent, secrets: .first) { return result }
        var result = PassResult(identity: identity, id: id)
        result.outcome = .stalled(BottleError(.notFound, "the bottle was deleted meanwhile", at: identity.name))
        return result
    }

    /// The same, of a bottle that may have been deleted.
    ///
    /// - Returns: nil when it is not desired; nothing was done then.
    package func runIfDesired(mayEndAgent: Bool, secrets: SecretUse) async throws -> PassResult? {
        try await underOwnLock { try await $0.convergeIfDesired(mayEndAgent: mayEndAgent, secrets) }
    }

    /// - Returns: nil when the bottle is not desired, and nothing says that it stays; nothing was done then.
    func convergeIfDesired(mayEndAgent: Bool, _ secrets: SecretUse) async throws -> PassResult? {
        var result = PassResult(identity: identity, id: id)
        var wanted: DesiredState?
        do {
            let moment = time.now()
            if let desired = try await installation.repository.desired(of: identity, at: moment) {
                result.revision = desired.revision
                result.take(desired.state.remedied, at: moment)
                wanted = desired.state
                try prepareQueue(of: desired.state.remedied.manifest)
                try await converge(to: desired.state.remedied, mayEndAgent: mayEndAgent, secrets, &result)
            } else {
                guard let problem = try await whyItStays() else { return nil }
                result.outcome = .stalled(problem)
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let problem = BottleError(wrapping: error)
            // Without a desired state nothing is right or wrong: a person brings it back.
            result.outcome = problem.code.disposition == .stalled ? .stalled(problem) : .retry(problem)
        }
        try saveStatus(result)
        if let wanted { try await settleProposals(in: wanted, &result) }
        return result
    }

    /// Why a bottle that is not desired is left as it is; nil: a commit deleted it, or nothing of it is recorded.
    private func whyItStays() async throws -> BottleError? {
        guard try installation.records.load(identity) != nil,
            try await installation.repository.lastChange(of: identity) == nil
        else { return nil }
        return BottleError(
            .notDeleted,
            "the bottle is recorded, but no revision of the desired state ever had it; nothing of it is touched",
            at: identity.name,
            remedy: "restore the desired state from a backup, or apply the bottle's manifest again"
        )
    }

    private func converge(
        to bottle: RemediedBottle,
        mayEndAgent: Bool,
        _ use: SecretUse,
        _ result: inout PassResult
    ) async throws {
        let manifest = bottle.manifest
        result.preflight = Preflight(manifest, caFingerprint: nil)
        let credentials = installation.credentials
        let find = use == .first ? credentials.values : credentials.glance
        var secrets = try await find(manifest.secrets)
        let authority = Sidecars.needAuthority(in: manifest) ? try await installation.credentials.authority(identity, true) : nil
        result.preflight = Preflight(manifest, caFingerprint: authority?.fingerprint)
        let recordWriter = try await reserveAddresses(for: manifest)
        var fingerprints = try await credentials.fingerprints(of: manifest, secrets, orAs: recordWriter.current)
        var failed: (plan: Plan, error: BottleError)?
        var isReading = false
        var silent: Set<Role> = []
        for round in 0..<Self.rounds {
            let before = await recordWriter.current
            let subject = Assessor.Subject(
                bottle,
                revision: result.revision,
                record: before,
                fingerprints: fingerprints,
                authority: authority?.material,
                caFingerprint: authority?.fingerprint,
                // Read from every other bottle's record, and looked at for networks without addresses only.
                reserved: before.lacksAddresses(for: manifest) ? try installation.reserved(exceptFor: identity) : [],
                supervision: installation.supervision(of: identity)
            )
            // One start a pass: whether there are more is for whoever runs the passes.
            let letsAgentRest = letsAgentRest || result.startsEndedAgent
            let (assessment, inventory) = try await look(
                subject,
                letsAgentRest: letsAgentRest,
                silent: silent,
                reading: isReading ? reading : [],
                mayShare: result.performed.isEmpty
            )
            if round == 0 || isReading || !silent.isEmpty {
                result.drift += assessment.plan.drift.filter { !result.drift.contains($0) }
            }
            result.findings = assessment.plan.findings
            if let problem = assessment.plan.findings.compactMap(\.error).first {
                result.outcome = .stalled(problem)
                return
            }
            guard mayEndAgent || !assessment.plan.replacesAgent else {
                result.outcome = .stalled(.needsYes([identity]))
                return
            }
            guard !assessment.plan.isEmpty else {
                if !reading.isEmpty, !isReading, round < Self.rounds - 1 {
                    isReading = true
                    continue
                }
                try await recordWriter.commit { record in
                    record.settle(
                        assessment.desired,
                        observed: assessment.observed,
                        networks: assessment.networks,
                        agentExit: assessment.plan.agentExit,
                        fingerprints: fingerprints
                    )
                }
                result.view = ListFingerprint(
                    of: identity,
                    installation: installation.state.installation,
                    in: inventory
                )
                result.outcome = outcome(of: assessment.plan)
                return
            }
            if let failed, !assessment.plan.mendsNetworks(after: failed.plan) {
                result.outcome = .retry(failed.error)
                return
            }
            guard round < Self.rounds - 1 else { break }
            if assessment.handsOverSecrets, manifest.secrets.contains(where: { secrets[$0] == nil }) {
                secrets = try await credentials.values(manifest.secrets)
                fingerprints = try credentials.fingerprints(of: manifest, secrets, orAs: before)
                continue
            }
            try changeStatus { $0.take(assessment.plan, at: time.now()) }
            let performed = try await act(on: assessment, of: manifest, recordWriter: recordWriter, secrets: secrets)
            result.performed += performed
            let newlySilent = performed.silent.subtracting(silent)
            guard newlySilent.isEmpty else {
                // Started anew once a pass; whatever else failed fails again in the next round.
                silent.formUnion(newlySilent)
                continue
            }
            if let first = performed.first(where: { $0.outcome == .failed }) {
                // Addresses that the engine refused were given up: the next round has others.
                if await recordWriter.current.avoided != before.avoided { continue }
                guard failed == nil else {
                    result.outcome = .retry(failure(first))
                    return
                }
                // One more look: a network that a killed process had asked for may have come meanwhile.
                failed = (assessment.plan, failure(first))
            }
        }
        result.outcome = .retry(
            BottleError(
                .notConverging,
                "the bottle was not as desired after \(Self.rounds) rounds",
                at: identity.name,
                remedy: "see what `bottle describe \(identity)` lists as pending, and what changes it from outside"
            )
        )
    }

    // MARK: - Looking

    /// Assesses the bottle, after looking into an agent's image that is here and was never looked into.
    ///
    /// - Parameter mayShare: whether lists that others took will do, as long as nothing is to be done by them.
    private func look(
        _ subject: Assessor.Subject,
        letsAgentRest: Bool,
        silent: Set<Role>,
        reading: Set<Role>,
        mayShare: Bool
    ) async throws -> (Assessor.Assessment, Inventory) {
        let assessor = Assessor(
            engine: installation.engine,
            settings: installation.settings,
            contexts: installation.contexts,
            facts: installation.facts,
            guessesFacts: false,
            letsAgentRest: letsAgentRest,
            silent: silent
        )
        if mayShare, let inventories, let inventory = inventories.cache.inventory(since: inventories.since) {
            let assessment = try await assessor.assess(subject, inventory: inventory, reading: reading)
            if assessment.isQuiet { return (assessment, inventory) }
        }
        let inventory = try await takeInventory()
        try await installation.clearLeftBuild(of: identity, in: inventory)
        let first = try await assessor.assess(subject, inventory: inventory, reading: reading)
        let probe = ImageProbe(
            engine: installation.engine,
            installation: installation.state.installation,
            store: installation.facts
        )
        guard let image = first.unknownImage, !first.plan.findings.contains(where: \.blocks) else {
            // Whoever holds the lock may be using the probe that is noted; it is no hurry.
            if try !installation.facts.pendingProbes().isEmpty,
                let held = try installation.state.sharedLock.tryAcquire()
            {
                defer { extendLifetime(held) }
                try await probe.removeLeft()
            }
            return (first, inventory)
        }
        try await underLock(installation.state.sharedLock) {
            guard installation.facts.load(image) == nil else { return }
            try await probe.look(into: image)
        }
        let again = try await takeInventory()
        return (try await assessor.assess(subject, inventory: again, reading: reading), again)
    }

    private func takeInventory() async throws -> Inventory {
        guard let inventories else { return try await Inventory.take(from: installation.engine) }
        return try await inventories.cache.take(from: installation.engine)
    }

    /// Gives the bottle the addresses it lacks, under the lock that all bottles share, and makes them durable.
    private func reserveAddresses(for manifest: BottleManifest) async throws -> RecordWriter {
        let records = installation.records
        let save: @Sendable (BottleRecord) throws -> Void = { try records.save($0, for: identity) }
        let record = try installation.record(of: identity)
        guard record.lacksAddresses(for: manifest) else { return RecordWriter(record, save: save) }
        let wanted = Topology(manifest).ownNetworks
        return try await underLock(installation.state.sharedLock) {
            var record = try installation.record(of: identity)
            let inventory = try await Inventory.take(from: installation.engine)
            let own = Set(wanted.map { Names.network(identity, $0) })
            try record.addresses.assign(
                wanted,
                from: installation.settings.networkPool,
                avoiding: inventory.usedBlocks(exceptOf: own)
                    + installation.reserved(exceptFor: identity) + record.avoided.compactMap { try? IPv4Block($0) },
                startingAt: record.addressPlace
            )
            try save(record)
            return RecordWriter(record, save: save)
        }
    }

    // MARK: - Telling

    func saveStatus(_ result: PassResult) throws { try changeStatus { $0.take(result, at: time.now()) } }

    private func failure(_ performed: PerformedAction) -> BottleError {
        BottleError(
            .actionFailed,
            "could not \(performed.action.verb.rawValue) \(performed.action.object)",
            at: identity.name,
            remedy: "mend the cause and apply again: a pass goes on from what is there",
            cause: performed.error
        )
    }

    /// A plan without actions is convergence, unless a sidecar refuses what it should load.
    private func outcome(of plan: Plan) -> PassOutcome {
        plan.findings.compactMap { $0.refusedLoad(of: identity) }.first.map(PassOutcome.retry) ?? .converged
    }

    /// Writes the bottle's status with a change, unless it changes nothing.
    private func changeStatus(_ change: (inout BottleStatus) -> Void) throws {
        let before = try installation.statuses.load(identity)
        var status = before ?? BottleStatus()
        change(&status)
        if status != before { try installation.statuses.save(status, for: identity) }
    }
}

extension Plan {
    /// Whether it puts networks right of which an earlier plan knew nothing.
    fileprivate func mendsNetworks(after earlier: Plan) -> Bool {
        actions.contains { action in
            guard case .network = action.object, action.verb == .remove else { return false }
            return !earlier.actions.contains { $0.verb == .remove && $0.target == action.target }
        }
    }
}

extension Assessor.Assessment {
    /// Whether the plan makes a container that is given values of secrets.
    fileprivate var handsOverSecrets: Bool {
        let holders = desired.containers.filter { !$0.spec.secrets.isEmpty }.map { ObjectName.container($0.role) }
        return plan.actions.contains { $0.verb == .create && holders.contains($0.object) }
    }
}

extension [PerformedAction] {
    /// The sidecars that were waited for in vain to say anything since their start.
    fileprivate var silent: Set<Role> {
        Set(
            compactMap { performed in
                guard performed.code == .silent, case .container(let role) = performed.action.object
                else { return nil }
                return role
            }
        )
    }
}

extension BottleRecord {
    /// Whether a network that the manifest needs has no addresses yet.
    func lacksAddresses(for manifest: BottleManifest) -> Bool {
        Topology(manifest).ownNetworks.contains { addresses[$0] == nil }
    }
}
