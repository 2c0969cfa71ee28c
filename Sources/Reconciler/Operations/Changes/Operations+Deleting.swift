import Reconciler
package import ReconcilerModel
import ReconcilerState
import ReconcilerTime

extension Operations {
    /// Prepares to remove bottles: their containers, networks and volumes, the agents' homes included.
    ///
    /// A bottle whose deletion was stopped half-way counts as one that is there.
    /// - Parameters:
    ///   - ignoringMissing: whether a name that nothing has is left out.
    ///   - reason: nil: one that names the bottle.
    /// - Throws: `BottleError` `not-found`.
    package func prepare(
        deleting names: [Identity],
        ignoringMissing: Bool = false,
        reason: String?
    ) async throws -> PreparedChange {
        let (state, repository) = (try state(), try repository())
        let snapshot = try await repository?.snapshot()
        let records = state.map { JSONStore<BottleRecord>(folder: $0.records, noun: "record") }
        var identities: [Identity] = []
        for identity in names where !identities.contains(identity) {
            if try snapshot?.bottles[identity] != nil || (snapshot != nil && records?.load(identity) != nil) {
                identities.append(identity)
            } else if !ignoringMissing {
                throw BottleError.missing(identity)
            }
        }
        let chosen = identities
        @Sendable func words(for identity: Identity) -> String { reason ?? "delete \(identity)" }
        return PreparedChange(
            .delete,
            of: chosen,
            commit: {
                let installation = try await installation()
                var last: Revision?
                for identity in chosen {
                    let pass = BottlePass(identity, in: installation, time: .system) { _, _ in }
                    last = try await pass.commitRemoval(reason: words(for: identity)) ?? last
                }
                return last
            },
            converge: { _, progress in
                let installation = try await installation()
                var results: [PassResult] = []
                for identity in chosen {
                    var result = PassResult(identity: identity, id: nil)
                    do {
                        let pass = BottlePass(identity, in: installation, time: .system, report: progress)
                        result.performed = try await pass.delete(reason: words(for: identity))
                        result.outcome = .converged
                    } catch is CancellationError {
                        throw CancellationError()
                    } catch {
                        // What keeps one bottle keeps no other.
                        result.outcome = .retry(BottleError(wrapping: error))
                    }
                    results.append(result)
                }
                return results
            }
        )
    }
}
