import Reconciler
package import ReconcilerModel
import ReconcilerState

extension Operations {
    /// Prepares to make a bottle's desired state what it was at an earlier revision, by a new commit.
    ///
    /// - Parameters:
    ///   - revision: its first digits, `HEAD`, or `HEAD~N`.
    ///   - reason: nil: one that names the revision.
    /// - Throws: `BottleError` `not-found`, `no-revision`, `already-desired`.
    package func prepare(
        rollingBack identity: Identity,
        to revision: String,
        reason: String?
    ) async throws -> PreparedChange {
        guard let repository = try repository() else { throw BottleError.missing(identity) }
        let old = try await repository.revision(named: revision)
        let reason = reason ?? "roll \(identity) back to \(old.short)"
        let base = try await base(of: identity)
        let present = try await repository.snapshot(at: old)
        guard let then = try present.desired(of: identity, at: base.moment) else {
            throw BottleError(
                .notFound,
                "bottle \(identity) was not desired at \(old.short)",
                remedy: "`bottle history \(identity)` lists its revisions; `bottle delete \(identity)` removes it"
            )
        }
        func remediations(in snapshot: DesiredSnapshot) -> [String: String] {
            DesiredRepository.remediations(in: snapshot.remediationFiles()[identity] ?? [:])
        }
        guard
            base.snapshot.bottles[identity] != present.bottles[identity]
                || remediations(in: base.snapshot) != remediations(in: present)
        else {
            throw BottleError(.alreadyDesired, "bottle \(identity) is desired as at \(old.short) already")
        }
        let ended = then.endedRemediations(afterDeletion: base.state == nil)
        let after = DesiredRepository.remedied(
            then.declared,
            then.remedied.outcomes.map(\.remediation).filter { !ended.contains($0) },
            at: base.moment
        )
        return try await prepare(
            .rollback,
            reason: reason,
            on: base,
            to: after,
            notes: ["back to \(old.short)"] + ended.map { "left out, since it has ended: \($0.name)" }
        ) { installation, record in
            try await record {
                try await installation.repository.rollBack(
                    identity,
                    to: old,
                    reason: reason,
                    at: base.moment,
                    expecting: base.snapshot.revision
                )
            }
        }
    }
}
