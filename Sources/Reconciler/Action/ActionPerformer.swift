package import ReconcilerEngine
package import ReconcilerModel
package import ReconcilerTime

/// Performs single actions on the engine, each idempotent: what is already so counts as done.
package struct ActionPerformer: Sendable {
    let engine: any EngineWriting
    let desired: DesiredBottle
    let installation: InstallationID
    let secrets: [String: SecretValue]
    /// Engine ids of the networks that exist, by role, before the first action.
    let networks: NetworkIDs
    let recordWriter: RecordWriter
    let contexts: [Role: BuildContext]
    /// How an image of a proposed Dockerfile is built; nil if none is desired.
    let restrictedBuild: RestrictedBuild?
    let output: @Sendable (Action, String) -> Void
    let warn: @Sendable (String) -> Void
    let patience: Duration
    let time: TimeSource

    /// - Parameters:
    ///   - patience: how long a sidecar may take to say what it has loaded.
    ///   - time: what that is measured by.
    package init(
        engine: any EngineWriting,
        desired: DesiredBottle,
        installation: InstallationID,
        secrets: [String: SecretValue],
        networks: [NetworkRole: NetworkID],
        recordWriter: RecordWriter,
        contexts: [Role: BuildContext],
        restrictedBuild: RestrictedBuild? = nil,
        patience: Duration = .seconds(30),
        time: TimeSource = .system,
        output: @escaping @Sendable (Action, String) -> Void,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.engine = engine
        self.desired = desired
        self.installation = installation
        self.secrets = secrets
        self.networks = NetworkIDs(networks)
        self.recordWriter = recordWriter
        self.contexts = contexts
        self.patience = patience
        self.time = time
        self.restrictedBuild = restrictedBuild
        self.output = output
        self.warn = warn
    }

    var identity: Identity { desired.identity }
    var watcher: LoadWatcher { LoadWatcher(engine: engine, patience: patience, time: time) }

    /// Performs one action and checks that it took effect.
    ///
    /// - Parameter mayStart: awaited after a container is created and before it is started.
    /// - Throws: `BottleError` or `EngineError`, with the engine's own words; `CancellationError`.
    package func perform(_ action: Action, mayStart: @Sendable () async throws -> Void) async throws {
        switch action.object {
        case .image(let role): try await performImage(action, role)
        case .network(let role): try await performNetwork(action, role)
        case .volume(let name): try await performVolume(action, name)
        case .container(let role): try await performContainer(action, role, mayStart: mayStart)
        }
    }

    /// The error of a verb that is never planned for this kind of object.
    func unplannable(_ action: Action) -> BottleError {
        BottleError(.unknownAction, "'\(action.verb.rawValue) \(action.object)' is no action that exists")
    }

    private func performVolume(_ action: Action, _ name: String) async throws {
        switch action.verb {
        case .create:
            guard let wanted = desired.volumes.first(where: { $0.name == name }) else { throw unplannable(action) }
            let labels = Labels.of(
                identity,
                role: wanted.purpose,
                installation: installation,
                specHash: wanted.specHash
            )
            // If the name is taken, the engine returns the existing volume, even one that is not ours.
            let volume = try await engine.createVolume(name: name, labels: labels)
            guard labels.allSatisfy({ volume.labels[$0.key] == $0.value }) else {
                throw BottleError(
                    .nameTaken,
                    "a volume that isn't ours has this name",
                    at: name,
                    remedy: "look whether it is needed; remove or rename it, or name the bottle otherwise"
                )
            }
        case .remove:
            try await tolerating(\.isNotFound) { () async throws(EngineError) in try await engine.removeVolume(name) }
        default: throw unplannable(action)
        }
    }

    private func performNetwork(_ action: Action, _ role: NetworkRole) async throws {
        switch action.verb {
        case .create:
            guard let network = desired.network(role) else { throw unplannable(action) }
            let request = network.request(identity: identity, installation: installation)
            let id = try await createNetwork(request, network)
            await networks.set(role, id)
            await recordWriter.note(id: id.text, of: network.name)
        case .remove:
            guard let target = action.networkID else { throw unplannable(action) }
            try await tolerating(\.isNotFound) { () async throws(EngineError) in
                try await engine.removeNetwork(target.text)
            }
        default: throw unplannable(action)
        }
    }

    private func createNetwork(_ request: NetworkCreate, _ network: DesiredNetwork) async throws -> NetworkID {
        do {
            return NetworkID(try await engine.createNetwork(request))
        } catch {
            if error.isConflict, let made = try await existing(request, network) { return made }
            if error.status == 403, let block = network.subnet {
                // The engine refuses addresses that overlap with a route of its host, which no list shows.
                try await recordWriter.commit { record in
                    record.avoided = Set(record.avoided + [block.description]).sorted()
                    record.addresses[network.role] = nil
                }
            }
            throw error
        }
    }

    /// The network that an earlier attempt made whose answer was lost; nil if the name belongs to another network.
    private func existing(_ request: NetworkCreate, _ network: DesiredNetwork) async throws -> NetworkID? {
        let found = try await engine.network(network.name)
        guard request.labels?.allSatisfy({ found.labels[$0.key] == $0.value }) == true,
            found.blocks == [network.subnet].compactMap({ $0 })
        else { return nil }
        return NetworkID(found.id)
    }

    /// Runs a call; the `expected` refusals mean that its effect is already there.
    func tolerating(
        _ expected: (EngineError) -> Bool,
        _ call: () async throws(EngineError) -> Void
    ) async throws(EngineError) {
        do {
            try await call()
        } catch {
            guard expected(error) else { throw error }
        }
    }
}

/// The engine's ids of a bottle's networks, extended as actions create them.
actor NetworkIDs {
    private(set) var ids: [NetworkRole: NetworkID]

    init(_ ids: [NetworkRole: NetworkID]) { self.ids = ids }

    func set(_ role: NetworkRole, _ id: NetworkID) { ids[role] = id }
}
