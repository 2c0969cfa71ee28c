import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerState

/// Puts together what the desired state, our memory and the engine say of each bottle; only reads.
///
/// It may be asked again and again: what did not change is not read anew.
struct BottleLister {
    private let context: CommandContext
    private var history: DesiredHistory?
    private var engine: EngineClient?
    /// A name of each image, by id: containers are made by id, which tells a person nothing.
    private var tags: [String: String] = [:]

    init(context: CommandContext) { self.context = context }

    /// Ends the connections to the engine.
    func close() { engine?.close() }

    /// The named bottles, or all of them.
    ///
    /// - Parameter leavingOutMissing: whether a name that nothing has is no error.
    /// - Throws: `BottleError` `not-found` for a name that nothing has.
    mutating func items(_ names: [Identity], leavingOutMissing: Bool = false) async throws -> [BottleItem] {
        if history == nil { history = try DesiredHistory(context) }
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
                observedRevision: status?.observedRevision,
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
        let client = if let engine { engine } else { try await context.engine() }
        engine = client
        let engine: any EngineReading = client
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
