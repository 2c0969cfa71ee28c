import Reconciler
import ReconcilerEngine
package import ReconcilerModel
import ReconcilerState

/// Puts together what the desired state, our memory and the engine say of each bottle; only reads.
///
/// It can be asked again and again: what did not change is not read again.
package struct BottleLister {
    private let operations: Operations
    private var history: DesiredHistory?
    /// A name of each image, by id: containers are made by id, which tells a person nothing.
    private var tags: [String: String] = [:]

    package init(_ operations: Operations) { self.operations = operations }

    /// The named bottles, or all of them.
    ///
    /// - Parameter leavingOutMissing: whether a name that nothing has is no error.
    /// - Throws: `BottleError` `not-found` for a name that nothing has.
    package mutating func items(_ names: [Identity], leavingOutMissing: Bool = false) async throws -> [BottleItem] {
        if history == nil { history = try DesiredHistory(operations) }
        guard let state = history?.state, let desired = try await history?.lastChanges() else {
            if let first = names.first, !leavingOutMissing { throw BottleError.missing(first) }
            return []
        }
        let records = try JSONStore<BottleRecord>(folder: state.records, noun: "record").loadAll()
        let known = Set(desired.keys).union(records.keys)
        for name in names where !known.contains(name) && !leavingOutMissing { throw BottleError.missing(name) }
        let statuses = JSONStore<BottleStatus>(folder: state.status, noun: "status")
        let containers = try await containers(of: state.installation)
        return try (names.isEmpty ? known.sorted() : names.filter(known.contains)).map { identity in
            let status = try statuses.load(identity)
            return BottleItem(
                identity: identity.name,
                desiredRevision: desired[identity]?.id,
                observedRevision: status?.observedRevision?.id,
                conditions: status?.conditions ?? [],
                containers: (containers[identity.name] ?? []).map(item).sorted { $0.role < $1.role }
            )
        }
    }

    private func item(of container: ContainerSummary) -> BottleItem.Container {
        BottleItem.Container(
            role: container.labels[Labels.role] ?? "",
            id: container.id,
            state: container.state,
            image: tags[container.imageID] ?? container.image
        )
    }

    /// This installation's containers, by their bottle's name.
    private mutating func containers(of installation: InstallationID) async throws -> [String: [ContainerSummary]] {
        let engine = try await operations.reading()
        let containers = try await engine.containers(labels: ["\(Labels.installation)=\(installation)"], all: true)
        if containers.contains(where: { tags[$0.imageID] == nil }) {
            for image in try await engine.images(labels: [], reference: nil) { tags[image.id] = image.tags.first }
            // An image without a name is not looked for again.
            for container in containers where tags[container.imageID] == nil {
                tags[container.imageID] = container.image
            }
        }
        return Dictionary(grouping: containers) { $0.labels[Labels.identity] ?? "" }
    }
}

/// Which bottles are desired, and since which revision; read again only when the desired state moved.
struct DesiredHistory {
    let state: StateFolder
    private let repository: DesiredRepository
    private var head: Revision?
    private var known: [Identity: Revision] = [:]

    /// Opens what there is; nil when nothing was ever applied.
    init?(_ operations: Operations) throws {
        guard let state = try operations.state(), let repository = try operations.repository() else { return nil }
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

/// What a front end waits for.
package enum WaitGoal: Sendable {
    case condition(Condition.Kind, Condition.Status)
    case deletion
}

/// Looks in our own files whether bottles are as waited for.
package struct StatusReader {
    private let operations: Operations
    private var history: DesiredHistory?

    package init(_ operations: Operations) { self.operations = operations }

    /// Whether a bottle has come to `goal`; Ready counts only for the last change of its desired state.
    ///
    /// - Throws: `BottleError` `not-found` when a condition of a bottle that does not exist is waited for.
    package mutating func has(_ identity: Identity, _ goal: WaitGoal) async throws -> Bool {
        if history == nil { history = try DesiredHistory(operations) }
        guard let state = history?.state, let desired = try await history?.lastChanges() else {
            if case .deletion = goal { return true }
            throw BottleError.missing(identity)
        }
        let change = desired[identity]
        let isRecorded = try JSONStore<BottleRecord>(folder: state.records, noun: "record").load(identity) != nil
        switch goal {
        case .deletion: return change == nil && !isRecorded
        case .condition(let kind, let status):
            guard change != nil || isRecorded else { throw BottleError.missing(identity) }
            let found = try JSONStore<BottleStatus>(folder: state.status, noun: "status").load(identity)
            guard let found, found[kind]?.status == status else { return false }
            guard kind == .ready, status == .true else { return true }
            return found.observedRevision == change
        }
    }
}
