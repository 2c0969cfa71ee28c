import Reconciler
import ReconcilerModel
import ReconcilerState
import ReconcilerTime

/// What is desired of a bottle, as an operator looked at it.
struct DesiredBase: Sendable {
    let identity: Identity
    let snapshot: DesiredSnapshot
    let moment: Timestamp
    /// Nil: the bottle is not desired.
    let state: DesiredState?

    /// The highest number of a remediation that is noted.
    var lastNumber: Int {
        DesiredRepository.lastNumber(noted: snapshot.others[DesiredRepository.numberFile(of: identity)])
    }

    /// The same, of a bottle that is desired.
    ///
    /// - Throws: `BottleError` `not-found`.
    func desired() throws -> DesiredState {
        guard let state else { throw BottleError.missing(identity) }
        return state
    }
}

extension Operations {
    /// Makes a commit; nil: there was nothing to commit.
    typealias Commit = () async throws -> Revision?
    /// Makes a commit, on record before and after.
    typealias OnRecord = (Commit) async throws -> Revision?

    /// Reads what is desired now.
    ///
    /// - Throws: `BottleError` `not-found` when nothing was ever applied.
    func base(of identity: Identity) async throws -> DesiredBase {
        guard let snapshot = try await snapshot() else { throw BottleError.missing(identity) }
        let moment = Self.moment()
        return DesiredBase(
            identity: identity,
            snapshot: snapshot,
            moment: moment,
            state: try snapshot.desired(of: identity, at: moment)
        )
    }

    /// Prepares a step of remediations.
    ///
    /// - Parameters:
    ///   - candidate: what exactly is approved; nil: no proposal is.
    ///   - commit: makes the commit by its argument; by default it just calls that.
    func prepare(
        _ kind: AuditKind,
        _ step: RemediationStep,
        on base: DesiredBase,
        telling reason: String? = nil,
        candidate: ContentDigest? = nil,
        by commit: @escaping @Sendable (Installation, Commit) async throws -> Revision? = { try await $1() }
    ) async throws -> PreparedChange {
        guard let repository = try repository() else { throw BottleError.missing(base.identity) }
        let author = await repository.operatorName()
        let outcome = try base.desired().taking(step, by: author, at: base.moment, after: base.lastNumber)
        let gone = outcome.effect.withdrawn + outcome.effect.spent.map(\.remediation)
        return try await prepare(
            kind,
            reason: reason ?? step.reason,
            on: base,
            to: outcome.after,
            notes: outcome.made.map { "+ \($0.name): \($0.change.text)\($0.limits.map { " (\($0.text))" } ?? "")" }
                + gone.map { "- \($0.name): \($0.change.text)" },
            candidate: candidate
        ) { installation, record in
            try await commit(installation) {
                try await record {
                    try await installation.repository.commit(
                        step,
                        for: base.identity,
                        at: base.moment,
                        expecting: base.snapshot.revision
                    ).revision
                }
            }
        }
    }

    /// Prepares an edit of one bottle's desired state.
    ///
    /// - Parameters:
    ///   - reason: for the audit log.
    ///   - after: the manifest, with its remediations, that the commit makes.
    ///   - notes: what the commit does, in lines.
    ///   - commit: makes the commit; its second argument puts what it is given on record, before and after.
    func prepare(
        _ kind: AuditKind,
        reason: String,
        on base: DesiredBase,
        to after: RemediedBottle,
        notes: [String],
        candidate: ContentDigest? = nil,
        by commit: @escaping @Sendable (Installation, OnRecord) async throws -> Revision?
    ) async throws -> PreparedChange {
        let identity = base.identity
        let before = base.state?.remedied.manifest
        let installation = try await installation()
        let preview = Preview(
            installation,
            credentials: try readingCredentials(state: installation.state, settings: installation.settings)
        )
        let inventory = try await Inventory.take(from: installation.engine)
        let bottle = PlannedBottle(
            try await preview.assess(after, revision: nil, against: inventory),
            of: after.manifest,
            authority: Authority.changes(from: before, to: after.manifest),
            notes: notes,
            base: base.snapshot.revision
        )
        if let problem = bottle.problem { throw problem }
        return PreparedChange(
            kind,
            of: [identity],
            bottles: [bottle],
            candidate: candidate,
            commit: {
                try await commit(installation) { change in
                    try await installation.recording(
                        kind,
                        of: [AuditedEdit(identity, from: before, to: after.manifest)],
                        reason: reason,
                        now: Self.moment,
                        change
                    )
                }
            },
            converge: { mayEndAgents, progress in
                let pass = BottlePass(identity, in: installation, time: .system, report: progress)
                guard let result = try await pass.runIfDesired(mayEndAgent: mayEndAgents, secrets: .asNeeded) else {
                    throw BottleError(.notFound, "the bottle was deleted meanwhile", at: identity.name)
                }
                return [result]
            }
        )
    }
}
