import ReconcilerEngine
package import ReconcilerModel

extension BottlePass {
    /// Performs what can be performed of a plan in this round.
    ///
    /// While images are missing, containers can't be described; what doesn't wait for them is done first, so that
    /// nothing that closes a way out waits for a build.
    func act(
        on assessment: Assessor.Assessment,
        of manifest: BottleManifest,
        ledger: Ledger,
        secrets: [SecretReference: SecretValue]
    ) async throws -> [PerformedAction] {
        let (now, images) = assessment.plan.split()
        try await ledger.commit { record in
            record.addresses = assessment.record.addresses
            record.prepare(for: now, desired: assessment.desired)
        }
        let performed = try await run(now, assessment, of: manifest, ledger: ledger, secrets: secrets)
        guard !images.isEmpty, performed.allSatisfy({ $0.outcome == .done }) else { return performed }
        // Whoever needs the same image waits, and finds it; nobody else waits for a build.
        let locks = assessment.desired.images.filter { image in
            images.actions.contains { $0.object == .image(image.role) }
        }.map { installation.state.lock(ofImage: $0.reference) }
        return try await underLocks(Set(locks).sorted { $0.path < $1.path }[...]) {
            performed + (try await run(images, assessment, of: manifest, ledger: ledger, secrets: secrets))
        }
    }

    private func underLocks<Value>(
        _ locks: ArraySlice<FileLock>,
        _ body: () async throws -> Value
    ) async throws -> Value {
        guard let first = locks.first else { return try await body() }
        return try await underLock(first) { try await underLocks(locks.dropFirst(), body) }
    }

    private func run(
        _ plan: Plan,
        _ assessment: Assessor.Assessment,
        of manifest: BottleManifest,
        ledger: Ledger,
        secrets: [SecretReference: SecretValue]
    ) async throws -> [PerformedAction] {
        let isRestricted = assessment.desired.images.contains(where: \.isRestricted)
        let performer = ActionPerformer(
            engine: installation.engine,
            desired: assessment.desired,
            installation: installation.state.installation,
            secrets: Dictionary(uniqueKeysWithValues: secrets.map { ($0.key.name, $0.value) }),
            networks: assessment.networks,
            ledger: ledger,
            contexts: assessment.contexts,
            restrictedBuild: isRestricted ? try installation.restrictedBuild(for: manifest) : nil,
            patience: patience,
            output: { self.report(identity, .output($0, $1)) },
            warn: { self.report(identity, .warning($0)) }
        )
        return try await execute(plan, with: performer, revision: assessment.desired.revision)
    }

    /// Performs a plan, on record from before its first action to after its last.
    ///
    /// Nothing is begun when that can't be recorded. If the process dies here, the record says what was about to be
    /// done and not how far it came; the next pass looks.
    private func execute(
        _ plan: Plan,
        with performer: ActionPerformer,
        revision: String
    ) async throws -> [PerformedAction] {
        let audit = AuditLog(installation.state)
        let intent = try audit.begin(plan, revision: revision, at: now())
        let ended = EndedActions()
        let executor = PlanExecutor(perform: performer.perform) { progress in
            if case .ended(let performed) = progress { ended.add(performed) }
            report(identity, progress)
        }
        do {
            let performed = try await executor.execute(plan)
            try audit.end(intent, plan, performed: performed, at: now())
            return performed
        } catch is CancellationError {
            // What was done before the operator's Ctrl-C was done all the same.
            try audit.end(intent, plan, performed: ended.all, at: now())
            throw CancellationError()
        }
    }

    /// Commits the bottle's removal, then removes everything of it from the engine, its volumes included, and what we
    /// remember of it.
    ///
    /// If the process dies here the record is still there, and the next call finishes the work.
    /// - Parameter reason: the message of the commit.
    /// - Throws: `BottleError` or `EngineError` when nothing could be begun, `CancellationError`.
    package func delete(reason: String) async throws -> [PerformedAction] {
        try await underLock(installation.state.lock(of: identity)) {
            let before = try await installation.repository.bottle(identity).text
            let edit = AuditedEdit(
                identity,
                from: before.flatMap { try? DesiredRepository.manifest(of: identity, text: $0) },
                to: nil
            )
            _ = try await installation.recording(.delete, of: before == nil ? [] : [edit], reason: reason, now: now) {
                try await installation.repository.remove(identity, reason: reason)
            }
            return try await tearDown()
        }
    }

    /// Removes what is left of a bottle that a commit deleted.
    ///
    /// If the process dies here, the next call finishes the work.
    /// - Throws: `BottleError` `not-deleted` when no commit ever had the bottle: then nothing says that it should go.
    package func finishDeletion() async throws -> [PerformedAction] {
        try await underLock(installation.state.lock(of: identity)) {
            guard try await installation.repository.manifest(of: identity) == nil else { return [] }
            if let problem = try await whyItStays() { throw problem }
            return try await tearDown()
        }
    }

    /// The same, where anything of the bottle is recorded.
    ///
    /// - Returns: whether nothing is left.
    func finishDeletionIfRecorded() async throws -> Bool {
        guard try installation.records.load(identity) != nil else { return true }
        return try await finishDeletion().allSatisfy { $0.outcome == .done }
    }

    private func tearDown() async throws -> [PerformedAction] {
        let setup = AgentRegistration(
            engine: installation.engine,
            identity: identity,
            installation: installation.state.installation,
            warn: { _ in }
        )
        // It would keep the home from going.
        try await setup.removeLeft()
        let record = try installation.record(of: identity)
        let nothing = DesiredBottle(identity: identity, revision: "")
        let observed = try await Observer(engine: installation.engine).bottle(
            nothing,
            installation: installation.state.installation,
            inventory: try await Inventory.take(from: installation.engine),
            images: [:]
        )
        let performer = ActionPerformer(
            engine: installation.engine,
            desired: nothing,
            installation: installation.state.installation,
            secrets: [:],
            networks: [:],
            ledger: Ledger(record) { _ in },
            contexts: [:],
            output: { _, _ in }
        )
        // Of a build that goes on too: it fails, and clears up after itself.
        let installationID = installation.state.installation
        try await BuildSite(engine: installation.engine, identity: identity, installation: installationID).clear()
        let plan = Planner.teardown(identity, observed: observed, record: record)
        let performed = try await execute(plan, with: performer, revision: "")
        guard performed.allSatisfy({ $0.outcome == .done }) else {
            var result = PassResult(identity: identity, id: id)
            result.outcome = .retry(
                BottleError(
                    "not-deleted",
                    "the bottle was deleted, but not all of it could be removed",
                    at: identity.name
                )
            )
            try saveStatus(result)
            return performed
        }
        try installation.statuses.remove(identity)
        try installation.state.forgetTrust(of: identity)
        try installation.state.forgetRefusals(of: identity)
        try installation.state.forgetQueue(of: identity)
        // Last: as long as it is there, a killed delete can be repeated.
        try installation.records.remove(identity)
        return performed
    }
}

extension Plan {
    /// What needs no image that is missing, and the actions that bring images.
    fileprivate func split() -> (now: Plan, images: Plan) {
        var waiting: Set<Int> = []
        for (index, action) in actions.enumerated() {
            if case .image = action.object { waiting.insert(index) }
            if (action.after + action.startsAfter).contains(where: waiting.contains) { waiting.insert(index) }
        }
        var now = self
        now.actions = []
        var place: [Int: Int] = [:]
        for (index, action) in actions.enumerated() where !waiting.contains(index) {
            var action = action
            action.after = action.after.compactMap { place[$0] }
            action.startsAfter = action.startsAfter.compactMap { place[$0] }
            place[index] = now.actions.count
            now.actions.append(action)
        }
        var images = self
        images.actions = actions.filter { if case .image = $0.object { true } else { false } }.map { action in
            var action = action
            action.after = []
            return action
        }
        return (now, images)
    }
}
