import ReconcilerEngine
package import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
package import ReconcilerTime

/// One pass over one bottle: observe, diff, plan, act, look again, record.
///
/// Level-triggered: it may be killed at any time; the next pass starts from the state it finds.
package struct BottlePass: Sendable {
    let installation: Installation
    let identity: Identity
    package let id: PassID
    let time: TimeSource
    let report: @Sendable (Identity, PassProgress) -> Void
    /// Whether an agent that ended stays ended in this pass, even if its `restart` starts it again.
    package var letsAgentRest = false
    /// The containers whose files are read whole when nothing else is left to do: a program that edits a file can
    /// restore its old size and time.
    package var reading: Set<Role> = []
    /// How long a sidecar may take to say what it has loaded.
    package var patience: Duration = .seconds(30)
    /// Inventories that passes share; nil: the pass takes its own.
    package var inventories: CachedInventory?
    /// The pass's slot; nil: passes are not limited.
    var slot: PassSlot?

    /// The inventory cache, and the oldest inventory that this pass may use.
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
        report: @escaping @Sendable (Identity, PassProgress) -> Void
    ) {
        self.identity = identity
        self.id = id
        self.installation = installation
        self.time = time
        self.report = report
    }

    /// Takes the bottle's lock and converges the bottle to its desired state.
    ///
    /// - Parameter mayEndAgent: whether a living agent may be ended for a desired-state edit. Without it, such a plan
    ///   does not begin.
    /// - Returns: what was done, also after a failure; the status says the same.
    /// - Throws: `CancellationError`; `BottleError` if the status can't be written.
    package func run(mayEndAgent: Bool) async throws -> PassResult {
        if let result = try await runIfDesired(mayEndAgent: mayEndAgent, secrets: .first) { return result }
        var result = PassResult(identity: identity, id: id)
        result.outcome = .stalled(BottleError(.notFound, "the bottle was deleted meanwhile", at: identity.name))
        return result
    }

    /// As `run`, for a bottle that may have been deleted.
    ///
    /// - Returns: nil if it is not desired; then nothing was done.
    package func runIfDesired(mayEndAgent: Bool, secrets: PassSecrets.Use) async throws -> PassResult? {
        try await underOwnLock { try await $0.convergeIfDesired(mayEndAgent: mayEndAgent, secrets)?.result }
    }

    /// - Returns: nil if the bottle is not desired and may be removed; then nothing was done. The fingerprint is of the
    ///   engine's lists when nothing was left to do; nil: something was.
    func convergeIfDesired(
        mayEndAgent: Bool,
        _ secrets: PassSecrets.Use
    ) async throws -> (result: PassResult, fingerprint: ListFingerprint?)? {
        var result = PassResult(identity: identity, id: id)
        var fingerprint: ListFingerprint?
        var wanted: DesiredState?
        do {
            let moment = time.now()
            if let desired = try await installation.repository.desired(of: identity, at: moment) {
                result.revision = desired.revision
                result.note(desired.state.remedied, at: moment)
                wanted = desired.state
                try prepareQueue(of: desired.state.remedied.manifest)
                fingerprint = try await converge(to: desired.state.remedied, mayEndAgent: mayEndAgent, secrets, &result)
            } else {
                guard let problem = try await whyItStays() else { return nil }
                result.outcome = .stalled(problem)
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let problem = BottleError(wrapping: error)
            // Without a desired state a person must act.
            result.outcome = problem.code.disposition == .stalled ? .stalled(problem) : .retry(problem)
        }
        try saveStatus(result)
        if let wanted { try await answerProposals(in: wanted, &result) }
        return (result, fingerprint)
    }

    /// Why a bottle that is not desired must not be removed; nil: a commit deleted it, or it has no record.
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

    /// Brings the bottle to `bottle`, step by step as `Convergence` says.
    private func converge(
        to bottle: RemediedBottle,
        mayEndAgent: Bool,
        _ use: PassSecrets.Use,
        _ result: inout PassResult
    ) async throws -> ListFingerprint? {
        let manifest = bottle.manifest
        result.preflight = Preflight(manifest, caFingerprint: nil)
        var secrets = try await PassSecrets(of: manifest, from: installation.credentials, use)
        let authority =
            Sidecars.needAuthority(in: manifest) ? try await installation.credentials.authority(identity, true) : nil
        result.preflight = Preflight(manifest, caFingerprint: authority?.fingerprint)
        let recordWriter = try await reserveAddresses(for: manifest)
        try secrets.fingerprint(orAs: await recordWriter.current)
        var convergence = Convergence(identity, mayEndAgent: mayEndAgent, readsFiles: !reading.isEmpty)
        while true {
            let before = await recordWriter.current
            let subject = try subject(bottle, before, secrets, authority, revision: result.revision)
            let (assessment, inventory) = try await look(subject, convergence, after: result)
            result.note(assessment.plan, isDrift: convergence.seesDrift)
            let lacksSecrets = secrets.areIncomplete && assessment.handsOverSecrets
            switch convergence.next(after: assessment.plan, lacksSecrets: lacksSecrets) {
            case .look: continue
            case .findSecrets:
                try await secrets.findAll()
                try secrets.fingerprint(orAs: before)
            case .act:
                try changeStatus { $0.begin(assessment.plan, at: time.now()) }
                let performed = try await act(
                    on: assessment,
                    of: manifest,
                    recordWriter: recordWriter,
                    secrets: secrets.values
                )
                result.performed += performed
                let hasNewAddresses = await recordWriter.current.avoided != before.avoided
                let step = convergence.next(
                    after: assessment.plan,
                    performed: performed,
                    hasNewAddresses: hasNewAddresses
                )
                guard case .end(let outcome) = step else { continue }
                result.outcome = outcome
                return nil
            case .markConverged:
                try await markConverged(assessment, recordWriter, secrets)
                result.outcome = outcome(of: assessment.plan)
                return ListFingerprint(of: identity, installation: installation.state.installation, in: inventory)
            case .end(let outcome):
                result.outcome = outcome
                return nil
            }
        }
    }

    private func subject(
        _ bottle: RemediedBottle,
        _ record: BottleRecord,
        _ secrets: PassSecrets,
        _ authority: Credentials.Authority?,
        revision: Revision?
    ) throws -> Assessor.Subject {
        Assessor.Subject(
            bottle,
            revision: revision,
            record: record,
            fingerprints: secrets.fingerprints,
            authority: authority?.material,
            caFingerprint: authority?.fingerprint,
            // Needs every other bottle's record, so it is read only for networks without addresses.
            reserved: record.lacksAddresses(for: bottle.manifest) ? try installation.reserved(exceptFor: identity) : [],
            supervision: installation.supervision(of: identity)
        )
    }

    /// Records that the bottle is as desired.
    private func markConverged(
        _ assessment: Assessor.Assessment,
        _ recordWriter: RecordWriter,
        _ secrets: PassSecrets
    ) async throws {
        try await recordWriter.commit { record in
            record.markConverged(
                assessment.desired,
                observed: assessment.observed,
                networks: assessment.networks,
                agentExit: assessment.plan.agentExit,
                fingerprints: secrets.fingerprints
            )
        }
    }

    // MARK: - Looking

    /// Assesses the bottle, and first inspects an agent's image that was never inspected.
    ///
    /// Until the pass has acted, an inventory from the cache is good enough to find that there is nothing to do.
    private func look(
        _ subject: Assessor.Subject,
        _ convergence: Convergence,
        after result: PassResult
    ) async throws -> (Assessor.Assessment, Inventory) {
        let reading = convergence.isReading ? reading : []
        let assessor = Assessor(
            engine: installation.engine,
            settings: installation.settings,
            contexts: installation.contexts,
            facts: installation.facts,
            guessesFacts: false,
            // One start in a pass: the caller decides whether there are more.
            letsAgentRest: letsAgentRest || result.startsEndedAgent,
            silent: convergence.silent
        )
        if result.performed.isEmpty, let inventories,
            let inventory = inventories.cache.inventory(since: inventories.since)
        {
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
            // The holder of the lock may be using the recorded probe; a later pass removes it.
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

    /// Assigns the addresses that the bottle lacks, under the lock that all bottles share, and saves them.
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

    func saveStatus(_ result: PassResult) throws { try changeStatus { $0.end(result, at: time.now()) } }

    /// A plan without actions is convergence, unless a sidecar refuses what it should load.
    private func outcome(of plan: Plan) -> PassOutcome {
        plan.findings.compactMap { $0.refusedLoad(of: identity) }.first.map(PassOutcome.retry) ?? .converged
    }

    /// Applies a change to the bottle's status, and writes it if it differs.
    private func changeStatus(_ change: (inout BottleStatus) -> Void) throws {
        let before = try installation.statuses.load(identity)
        var status = before ?? BottleStatus()
        change(&status)
        if status != before { try installation.statuses.save(status, for: identity) }
    }
}

extension Assessor.Assessment {
    /// Whether the plan creates a container that holds secrets.
    fileprivate var handsOverSecrets: Bool {
        let holders = desired.containers.filter { !$0.spec.secrets.isEmpty }.map { ObjectName.container($0.role) }
        return plan.actions.contains { $0.verb == .create && holders.contains($0.object) }
    }
}

extension BottleRecord {
    /// Whether a network that the manifest needs has no addresses yet.
    func lacksAddresses(for manifest: BottleManifest) -> Bool {
        Topology(manifest).ownNetworks.contains { addresses[$0] == nil }
    }
}
