import Reconciler
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState

/// Which bottles are desired, and since which revision; read anew only when the desired state moved.
struct DesiredHistory {
    let state: StateFolder
    private let repository: DesiredRepository
    private var head: Revision?
    private var known: [Identity: Revision] = [:]

    /// Opens what there is; nil when nothing was ever applied.
    init?(_ context: CommandContext) throws {
        guard let state = try StateFolder.open(context.paths.state),
            let repository = try DesiredRepository.open(in: state, environment: context.environment)
        else { return nil }
        self.state = state
        self.repository = repository
    }

    /// The revision that last changed each bottle that is desired.
    ///
    /// - Throws: `BottleError` `desired-unreadable`.
    mutating func lastChanges() async throws -> [Identity: Revision] {
        let head = try await repository.head()
        guard head != self.head else { return known }
        let desired = try await repository.snapshot(at: head).bottles
        let changes = try await repository.lastChanges(at: head)
        known = changes.filter { desired[$0.key] != nil }
        self.head = head
        return known
    }
}
