package import ReconcilerModel
import ReconcilerState
package import ReconcilerTime

/// One pass over every bottle that is desired or recorded: only what a controller does at its start.
///
/// Other processes may work beside it: each pass takes its bottle's lock.
package struct OneShotRun: Sendable {
    private let installation: Installation
    private let slots: AsyncSemaphore
    private let builds: AsyncSemaphore
    private let time: TimeSource
    private let report: @Sendable (ControllerReport) -> Void
    private let inventories: InventoryCache

    /// The most passes of a bottle in one run.
    ///
    /// A commit needs another pass: one that withdraws what has ended, or one that brought the bottle back during its
    /// removal. Another may follow.
    private static let passes = 3

    /// - Parameters:
    ///   - concurrency: the number of passes at the same time.
    ///   - time: the clock.
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

    /// Converges each bottle, removes deleted ones, and commits the withdrawal of what has ended.
    ///
    /// - Returns: whether every bottle is as declared.
    /// - Throws: `BottleError` when the desired state or the records can't be read, `CancellationError`.
    package func run() async throws -> Bool {
        let desired = try await installation.repository.snapshot().bottles.keys
        let bottles = Set(try installation.records.loadAll().keys).union(desired).sorted()
        let begin = time.instant()
        // If this fails, each pass takes its own inventory and reports the error.
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
            // Earlier inventories lack what this run did.
            pass.inventories = .init(cache: inventories, since: number == 0 ? begin : time.instant())
            // If reacquiring fails, the whole run was cancelled, and the slots no longer matter.
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
                    // A commit may have brought it back during its removal.
                    guard try await installation.repository.bottle(bottle).text != nil else { return true }
                case .passed(let result, _):
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
