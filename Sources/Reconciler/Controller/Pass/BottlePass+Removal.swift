import ReconcilerEngine
package import ReconcilerModel
import ReconcilerState
import ReconcilerTime

/// Bottles that are no longer desired.
extension BottlePass {
    /// What became of a bottle that may have been deleted.
    package enum Reconciliation: Sendable {
        /// It is desired. The fingerprint is of the engine's lists when nothing was left to do; nil: something was.
        case passed(PassResult, ListFingerprint?)
        /// A commit deleted it; everything left of it was removed, or as much as possible.
        case removed(isComplete: Bool)
    }

    /// Converges the bottle to its desired state, or removes what is left of a deleted one.
    ///
    /// It decides once it has the lock: a bottle that is desired again by then gets its pass. A commit that brings the
    /// bottle back during its removal needs another call. If the process dies here, the next call finishes the work.
    /// - Throws: `CancellationError`; `BottleError` or `EngineError` if a removal could not begin or the status can't
    ///   be written.
    package func reconcile(mayEndAgent: Bool, secrets: PassSecrets.Use) async throws -> Reconciliation {
        try await underOwnLock { pass in
            if let (result, fingerprint) = try await pass.convergeIfDesired(mayEndAgent: mayEndAgent, secrets) {
                return .passed(result, fingerprint)
            }
            guard try pass.installation.records.load(identity) != nil else { return .removed(isComplete: true) }
            return .removed(isComplete: try await pass.tearDown().allSatisfy { $0.outcome == .done })
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
            _ = try await remove(reason: reason)
            return try await tearDown()
        }
    }

    /// Commits the bottle's removal and touches nothing of it on the engine: any pass does the rest.
    ///
    /// - Returns: the new revision; nil, and no commit, when it was not desired.
    package func commitRemoval(reason: String) async throws -> Revision? {
        try await underLock(installation.state.lock(of: identity)) { try await remove(reason: reason) }
    }

    private func remove(reason: String) async throws -> Revision? {
        let before = try await installation.repository.bottle(identity).text
        let edit = AuditedEdit(
            identity,
            from: before.flatMap { try? DesiredRepository.manifest(of: identity, text: $0) },
            to: nil
        )
        let edits = before == nil ? [] : [edit]
        return try await installation.recording(.delete, of: edits, reason: reason, now: time.now) {
            try await installation.repository.remove(identity, reason: reason)
        }
    }

    /// Removes everything of the bottle from the engine, and what we remember of it, while its lock is ours.
    private func tearDown() async throws -> [PerformedAction] {
        let setup = AgentRegistration(
            engine: installation.engine,
            identity: identity,
            installation: installation.state.installation,
            warn: { _ in }
        )
        // It would block the removal of the home volume.
        try await setup.removeLeft()
        let record = try installation.record(of: identity)
        let nothing = DesiredBottle(identity: identity, revision: nil)
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
            recordWriter: RecordWriter(record) { _ in },
            contexts: [:],
            output: { _, _ in }
        )
        // This also ends a running build: it fails and cleans up.
        let installationID = installation.state.installation
        try await BuildSandbox(engine: installation.engine, identity: identity, installation: installationID).clear()
        let plan = Planner.teardown(identity, observed: observed, record: record)
        let performed = try await execute(plan, with: performer, revision: nil)
        guard performed.allSatisfy({ $0.outcome == .done }) else {
            var result = PassResult(identity: identity, id: id)
            result.outcome = .retry(
                BottleError(
                    .notDeleted,
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
        // The record goes last: while it exists, a killed delete can be repeated.
        try installation.records.remove(identity)
        return performed
    }
}
