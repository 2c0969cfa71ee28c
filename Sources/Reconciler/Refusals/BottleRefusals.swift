package import ReconcilerEngine
package import ReconcilerModel
package import ReconcilerState
package import ReconcilerTime

/// What is known of one bottle's refusals: what was kept, and what its sidecars' logs say beyond that.
package struct BottleRefusals: Sendable {
    package var groups = RefusalGroups()
    /// How many refusals no sidecar could write down.
    package var lost = 0
    /// How many lines in the logs were no sidecar's.
    package var unreadable = 0
    /// How far each container's log is read, by its id.
    package var positions: [String: LogPosition] = [:]
    /// Only what happened from here on counts.
    private let since: Timestamp?

    package init(since: Timestamp? = nil) { self.since = since }

    /// Adds what a batch tells.
    ///
    /// - Returns: the ids of the groups that took something.
    @discardableResult
    package mutating func add(_ batch: RefusalBatch) -> Set<String> {
        positions[batch.container] = batch.position
        lost = RefusedRequest.sum(lost, batch.lost)
        unreadable = RefusedRequest.sum(unreadable, batch.unreadable)
        return Set(batch.refusals.compactMap { add($0) })
    }

    private mutating func add(_ refusal: RefusedRequest) -> String? {
        // Several told together count wholly as soon as the last of them does.
        if let since, refusal.last < since { return nil }
        return groups.add(refusal)
    }

    /// Reads what is kept of a bottle, and what its sidecars' logs hold beyond that.
    ///
    /// - Parameters:
    ///   - containers: the bottle's containers; empty when the engine can't be asked.
    ///   - since: from when on refusals count.
    /// - Throws: `BottleError` or `EngineError`.
    package static func read(
        _ bottle: Identity,
        in state: StateFolder,
        containers: [ContainerSummary],
        engine: (any EngineReading)?,
        since: Timestamp? = nil
    ) async throws -> BottleRefusals {
        var found = BottleRefusals(since: since)
        // First the file: whatever is kept after this look lies behind the positions in it.
        let kept = try RefusalStore.load(bottle, in: state)
        for refusal in kept.refusals { _ = found.add(refusal) }
        found.lost = kept.lost
        found.unreadable = kept.unreadable
        for (container, position) in kept.positions { found.positions[container] = position }
        guard let engine else { return found }
        for container in containers {
            guard let role = container.labels[Labels.role].flatMap(Role.init(rawValue:)),
                Sidecars.refusing.contains(role)
            else { continue }
            do {
                try await found.read(container.id, of: role, engine)
            } catch let error as EngineError {
                // Replaced since the list was taken.
                guard error.isNotFound else { throw error }
            }
        }
        return found
    }

    private mutating func read(_ container: String, of role: Role, _ engine: any EngineReading) async throws {
        var reader = LogLineReader(from: positions[container])
        let options = LogOptions(since: positions[container]?.time, timestamps: true)
        for try await frame in try await engine.logs(container: container, options: options) {
            for line in reader.take(frame) {
                switch line.bytes.map({ SidecarLine($0, of: role) }) {
                case .refusal(let refusal): _ = add(refusal)
                case .lost(let count): lost = RefusedRequest.sum(lost, count)
                case .unreadable, nil: unreadable = RefusedRequest.sum(unreadable, 1)
                }
            }
        }
        positions[container] = reader.position
    }
}
