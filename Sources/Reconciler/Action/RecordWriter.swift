package import ReconcilerModel

/// Writes the record of one bottle while actions run: a name is on disk before its object is made.
package actor RecordWriter {
    private var record: BottleRecord
    private let save: @Sendable (BottleRecord) throws -> Void
    private var isDirty = false

    /// - Parameter save: writes the record so that it is durable when it returns.
    package init(_ record: BottleRecord, save: @escaping @Sendable (BottleRecord) throws -> Void) {
        self.record = record
        self.save = save
    }

    package var current: BottleRecord { record }

    /// Makes a change durable before it returns; nothing is written when nothing changed.
    package func commit(_ change: (inout BottleRecord) -> Void) throws {
        let before = record
        change(&record)
        guard record != before || isDirty else { return }
        try save(record)
        isDirty = false
    }

    /// Remembers an id.
    ///
    /// It is written with the next commit; a lost id is found again by name and labels.
    package func note(id: String, of name: String) {
        guard record.ids[name] != id else { return }
        record.ids[name] = id
        isDirty = true
    }
}

extension BottleRecord {
    /// Adds what must be recorded before the first action of `plan`: new names, and what new files allow.
    package mutating func prepare(for plan: Plan, desired: DesiredBottle) {
        var made = Set(names)
        for action in plan.actions where action.verb == .create {
            switch action.object {
            case .container(let role): made.insert(Names.container(desired.identity, role))
            case .network(let role): made.insert(Names.network(desired.identity, role))
            case .volume(let name): made.insert(name)
            case .image: break
            }
        }
        names = made.sorted()
        for container in desired.containers {
            guard let generation = container.generation else { continue }
            permissions[container.role.rawValue, default: [:]][generation.hex] = container.permissions
        }
    }

    /// Records that the bottle is as desired, and forgets what mattered only until then.
    ///
    /// Existing objects stay ours even if they are not desired: a volume with the agent's work goes only with `delete`.
    ///
    /// - Parameters:
    ///   - networks: ids of the bottle's networks.
    ///   - agentExit: the exit status of an agent that ended; nil while it runs.
    package mutating func markConverged(
        _ desired: DesiredBottle,
        observed: ObservedBottle,
        networks: [NetworkRole: NetworkID],
        agentExit: Int?,
        fingerprints: [SecretReference: String]
    ) {
        converged = Converged(desired)
        self.agentExit = agentExit
        self.fingerprints = Dictionary(uniqueKeysWithValues: fingerprints.map { ($0.key.name, $0.value) })
        permissions = [:]
        for container in desired.containers {
            guard let generation = container.generation else { continue }
            permissions[container.role.rawValue] = [generation.hex: container.permissions]
        }
        let own = desired.networks.filter { !$0.isExternal }
        let wanted = desired.containers.map(\.name) + own.map(\.name) + desired.volumes.map(\.name)
        let present = Set(
            observed.containers.map(\.name) + observed.networks.map(\.name) + observed.volumes.map(\.name)
        )
        names = Set(wanted + names.filter(present.contains)).sorted()
        ids = ids.filter { names.contains($0.key) }
        // Also ids of containers whose creator was killed before it recorded them.
        for container in observed.containers where desired.containers.contains(where: { $0.name == container.name }) {
            ids[container.name] = container.id.text
        }
        for network in own { ids[network.name] = networks[network.role]?.text ?? ids[network.name] }
    }
}
