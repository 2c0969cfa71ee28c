import ReconcilerModel
import ReconcilerState
package import ReconcilerTime

/// One round over every bottle that is desired or recorded: what a controller does at its start, and no more.
///
/// Other processes may work beside it; each bottle's lock says whose turn it is.
package struct OneShotRun: Sendable {
    private let installation: Installation
    private let slots: AsyncSemaphore
    private let builds: AsyncSemaphore
    private let time: TimeSource
    private let report: @Sendable (ControllerReport) -> Void
    private let inventories: InventoryCache

    /// How often a bottle is looked at in one round.
    ///
    /// Once more after a commit: a withdrawal of what has ended, or one that brought the bottle back while it was being
    /// removed. Another may come meanwhile.
    private static let passes = 3

    /// - Parameters:
    ///   - concurrency: how many bottles have a pass at once.
    ///   - time: tells what has ended.
    package init(
        _ installation: Installation,
        concurrency: Int,
        time: TimeSource,
        report: @escaping @Sendable (ControllerReport) -> Void
    ) {
        self.installation = installation
        slots = AsyncSemaphore(limit: concurrency)
        builds = AsyncSemaphore(limit: concurrency)
        self.time = time
        inventories = InventoryCache(time: time)
        self.report = report
    }

    /// Gives each bottle its pass, removes what is left of those that a commit deleted, and withdraws by commits what
    /// has ended.
    ///
    /// - Returns: whether all of it came to its end: every bottle is as declared.
    /// - Throws: `BottleError` when the desired state or the records can't be read, `CancellationError`.
    package func run() async throws -> Bool {
        let desired = try await installation.repository.snapshot().bottles.keys
        let bottles = Set(try installation.records.loadAll().keys).union(desired).sorted()
        let begin = time.instant()
        // Without the lists each pass takes its own, and tells what is wrong.
        if !bottles.isEmpty { _ = try? await inventories.take(from: installation.engine) }
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            for bottle in bottles {
                group.addTask { try await slots.withPermit { try await reconcile(bottle, since: begin) } }
            }
            return try await group.reduce(true) { $0 && $1 }
        }
    }

    private func reconcile(_ bottle: Identity, since begin: ContinuousClock.Instant) async throws -> Bool {
        for number in 0..<Self.passes {
            let id = PassID.random()
            var pass = BottlePass(bottle, in: installation, id: id, time: time) { report(.progress($0, id, $1)) }
            // What the round itself did is in no lists of before.
            pass.inventories = .init(cache: inventories, since: number == 0 ? begin : time.instant())
            // Who can't come back was cancelled, and with it the whole round: nobody counts the slots any more.
            pass.slot = PassSlot(
                release: { await slots.release() },
                reacquire: { try await slots.acquire() },
                builds: builds
            )
            report(.began(bottle, id))
            do {
                switch try await pass.reconcile(mayEndAgent: true, secrets: .asNeeded) {
                case .removed(let isComplete):
                    report(.removed(bottle, id, isComplete: isComplete))
                    guard isComplete else { return false }
                    // A commit may have brought it back while it was being removed.
                    guard try await installation.repository.bottle(bottle).text != nil else { return true }
                case .passed(let result):
                    report(.ended(result))
                    guard case .converged = result.outcome else { return false }
                    guard try await installation.withdrawEnded(in: result, now: time.now) else { return true }
                }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                report(.failed(bottle, id, BottleError(wrapping: error)))
                return false
            }
        }
        // The last commit has had no pass.
        return false
    }
}
