import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime

extension BottlePass {
    /// Performs what can be performed of a plan in this round.
    ///
    /// While images are missing, their containers can't be rendered. Actions that don't need them are performed first,
    /// so that closing a way out never waits for a build.
    func act(
        on assessment: Assessor.Assessment,
        of manifest: BottleManifest,
        recordWriter: RecordWriter,
        secrets: [SecretReference: SecretValue]
    ) async throws -> [PerformedAction] {
        let (now, images) = assessment.plan.split()
        try await recordWriter.commit { record in
            record.addresses = assessment.record.addresses
            record.prepare(for: now, desired: assessment.desired)
        }
        let performed = try await run(now, assessment, of: manifest, recordWriter: recordWriter, secrets: secrets)
        guard !images.isEmpty, performed.allSatisfy({ $0.outcome == .done }) else { return performed }
        return performed
            + (try await bring(images, assessment) { plan in
                try await run(plan, assessment, of: manifest, recordWriter: recordWriter, secrets: secrets)
            })
    }

    /// Gets images side by side, each under its own lock.
    ///
    /// Another pass that needs the same image waits, and then finds it. Other passes don't wait: this one releases its
    /// slot meanwhile.
    private func bring(
        _ images: Plan,
        _ assessment: Assessor.Assessment,
        _ run: @escaping @Sendable (Plan) async throws -> [PerformedAction]
    ) async throws -> [PerformedAction] {
        var parts: [FileLock: (plan: Plan, images: [DesiredImage])] = [:]
        for image in assessment.desired.images {
            let actions = images.actions.filter { $0.object == .image(image.role) }
            guard !actions.isEmpty else { continue }
            var rest = images
            rest.actions = []
            let lock = installation.state.lock(ofImage: image.reference)
            parts[lock, default: (rest, [])].plan.actions += actions
            parts[lock]?.images.append(image)
        }
        await slot?.release()
        let ended = await withTaskGroup(of: Result<[PerformedAction], any Error>.self) { group in
            for (lock, (plan, wanted)) in parts {
                group.addTask {
                    do {
                        let performed: [PerformedAction]
                        performed = try await underLock(lock, lookingEvery: .milliseconds(200)) {
                            if await areHere(wanted) { return [] }
                            guard let slot else { return try await run(plan) }
                            return try await slot.builds.withPermit { try await run(plan) }
                        }
                        return .success(performed)
                    } catch let error as BottleError where error.code == .busy {
                        // The other results are still reported.
                        let text = [error.message, error.cause].compactMap { $0 }.joined(separator: ": ")
                        return .success(
                            plan.actions.map {
                                PerformedAction(
                                    action: $0,
                                    outcome: .failed,
                                    milliseconds: 0,
                                    error: text,
                                    code: error.code
                                )
                            }
                        )
                    } catch {
                        return .failure(error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        // Only after the image locks are released: a pass that waits for one of them may hold a slot.
        try await slot?.reacquire()
        let performed = try ended.flatMap { try $0.get() }
        return images.actions.compactMap { action in performed.first { $0.action == action } }
    }

    /// Whether all of these images are here by now: another process may have got them while we waited for the lock.
    ///
    /// If the engine can't say, the answer is no; getting the images then reports the error.
    private func areHere(_ images: [DesiredImage]) async -> Bool {
        let observer = Observer(engine: installation.engine)
        guard let found = try? await observer.images(Set(images.map(\.reference))) else { return false }
        return images.allSatisfy { found[$0.reference]?.isMade(as: $0) == true }
    }

    private func run(
        _ plan: Plan,
        _ assessment: Assessor.Assessment,
        of manifest: BottleManifest,
        recordWriter: RecordWriter,
        secrets: [SecretReference: SecretValue]
    ) async throws -> [PerformedAction] {
        let isRestricted = assessment.desired.images.contains(where: \.isRestricted)
        let performer = ActionPerformer(
            engine: installation.engine,
            desired: assessment.desired,
            installation: installation.state.installation,
            secrets: Dictionary(uniqueKeysWithValues: secrets.map { ($0.key.name, $0.value) }),
            networks: assessment.networks,
            recordWriter: recordWriter,
            contexts: assessment.contexts,
            restrictedBuild: isRestricted ? try installation.restrictedBuild(for: manifest) : nil,
            patience: patience,
            time: time,
            output: { self.report(identity, .output($0, $1)) },
            warn: { self.report(identity, .warning($0)) }
        )
        return try await execute(plan, with: performer, revision: assessment.desired.revision)
    }

    /// Performs a plan and records it in the audit log, before the first action and after the last.
    ///
    /// Without the first entry nothing begins. If the process dies here, the log has the plan but not how far it came;
    /// the next pass looks.
    func execute(
        _ plan: Plan,
        with performer: ActionPerformer,
        revision: Revision?
    ) async throws -> [PerformedAction] {
        let audit = AuditLog(installation.state)
        let intent = try audit.begin(plan, revision: revision, at: time.now())
        let ended = EndedActions()
        let executor = PlanExecutor(perform: performer.perform) { progress in
            if case .ended(let performed) = progress { ended.add(performed) }
            report(identity, progress)
        }
        do {
            let performed = try await executor.execute(plan)
            try audit.end(intent, plan, performed: performed, at: time.now())
            return performed
        } catch is CancellationError {
            // Actions that ended before the operator's Ctrl-C are recorded too.
            try audit.end(intent, plan, performed: ended.all, at: time.now())
            throw CancellationError()
        }
    }
}

extension Plan {
    /// The actions that don't wait for images, and the actions that get images.
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
