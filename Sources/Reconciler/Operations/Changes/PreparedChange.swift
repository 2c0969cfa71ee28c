package import ReconcilerModel

/// A change of the desired state, worked out but not yet made.
///
/// A front end shows it, asks, then calls `commit` and `converge`. What was shown is what is committed: when what is
/// desired of a bottle moved meanwhile, nothing is. If the process dies before the commit, nothing has changed; after
/// it, any pass goes on from there.
package struct PreparedChange: Sendable {
    /// What the audit log calls it.
    package let kind: AuditKind
    package let identities: [Identity]
    /// What the change comes to, a bottle each; empty for a rejection and a deletion, which need no plan.
    package let bottles: [PlannedBottle]
    /// What exactly is approved; nil: no proposal is.
    package let candidate: ContentDigest?
    /// The results, when all is desired and as desired already, so that there is nothing to commit or to do.
    package let settled: [PassResult]?
    private let commits: @Sendable () async throws -> Revision?
    private let converges: @Sendable (_ mayEndAgents: Bool, @escaping Operations.Progress) async throws -> [PassResult]

    init(
        _ kind: AuditKind,
        of identities: [Identity],
        bottles: [PlannedBottle] = [],
        candidate: ContentDigest? = nil,
        settled: [PassResult]? = nil,
        commit: @escaping @Sendable () async throws -> Revision?,
        converge: @escaping @Sendable (_ mayEndAgents: Bool, @escaping Operations.Progress) async throws -> [PassResult]
    ) {
        self.kind = kind
        self.identities = identities
        self.bottles = bottles
        self.candidate = candidate
        self.settled = settled
        commits = commit
        converges = converge
    }

    /// The bottles whose living agent ends by it.
    package var endedAgents: [Identity] { bottles.filter(\.plan.replacesAgent).map(\.identity) }

    /// What each bottle may do afterwards that it may not do now, and the other way round.
    package var authority: [Identity: [AuthorityChange]] {
        Dictionary(bottles.map { ($0.identity, $0.authority) }) { first, _ in first }
    }

    /// Commits it, on record before and after; touches no container.
    ///
    /// - Returns: the revision that was made; nil: there was nothing to commit.
    /// - Throws: `BottleError` `desired-moved` when what was shown is no longer what is desired.
    package func commit() async throws -> Revision? { try await commits() }

    /// Runs a pass of every bottle, from what the repository then holds.
    ///
    /// Of a deletion it also makes the commits that are still missing, each under the lock under which the bottle is
    /// removed: no other process comes in between.
    /// - Parameter mayEndAgents: whether living agents may be ended.
    /// - Returns: a result a bottle, in their order.
    package func converge(
        mayEndAgents: Bool,
        progress: @escaping Operations.Progress
    ) async throws -> [PassResult] {
        try await converges(mayEndAgents, progress)
    }
}
