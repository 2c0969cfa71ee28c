import ReconcilerEngine
import ReconcilerModel
import ReconcilerTime

extension ActionPerformer {
    func performContainer(
        _ action: Action,
        _ role: Role,
        mayStart: @Sendable () async throws -> Void
    ) async throws {
        if action.verb == .remove { return try await remove(action) }
        if action.verb == .stop { return try await stop(action) }
        guard let wanted = desired.container(role) else { throw unplannable(action) }
        if action.verb == .create { return try await create(wanted, mayStart: mayStart) }
        guard let target = action.container else { throw unplannable(action) }
        switch action.verb {
        case .start:
            // The container was created but not finished: steps before the first start may be missing.
            if action.reason == .neverStarted {
                try await giveHome(of: wanted, in: target)
                if let setup = wanted.setup { try await registration.run(setup, of: wanted, in: target) }
            }
            try await start(target, wanted)
        case .unpause:
            try await unpause(target)
        case .connect:
            guard let role = action.network else { throw unplannable(action) }
            try await connect(target, wanted, to: role)
        case .disconnect:
            guard let network = action.networkID else { throw unplannable(action) }
            try await disconnect(target, from: network)
        case .copy:
            try await upload(wanted.files.filter { $0.path == action.path }, to: target, wanted)
        case .signal:
            try await signal(target, wanted, isCopied: action.reason == .filesCopied)
        case .restart:
            try await engine.restart(target.text, timeout: wanted.spec.stopSeconds)
            try await confirm(target, wanted)
        case .update:
            _ = try await engine.update(target.text, wanted.limits.update)
        default: throw unplannable(action)
        }
    }

    // MARK: - Making

    /// Creates a container, copies its files, connects its networks, and starts it.
    ///
    /// If the process dies in between, the next pass finds a created container and plans what is missing of it.
    private func create(_ wanted: DesiredContainer, mayStart: @Sendable () async throws -> Void) async throws {
        if wanted.role == .agent {
            // Only now that the previous agent is gone. Until then an edit that is not applied yet must count as one.
            try await recordWriter.commit { record in
                record.agentIntent = wanted.intentHash.text
                record.agentExit = nil
            }
        }
        let id = try await createOnly(wanted)
        await recordWriter.note(id: id.text, of: wanted.name)
        for endpoint in wanted.endpoints.dropFirst() { try await connect(id, wanted, to: endpoint.network) }
        try await giveHome(of: wanted, in: id)
        try await upload(wanted.files, to: id, wanted)
        if let setup = wanted.setup { try await registration.run(setup, of: wanted, in: id) }
        try await mayStart()
        try await start(id, wanted)
    }

    private func createOnly(_ wanted: DesiredContainer) async throws -> ContainerID {
        let request = try wanted.request(
            identity: identity,
            installation: installation,
            networks: await networkIDs(of: wanted),
            secrets: secrets
        )
        do {
            return ContainerID(try await engine.createContainer(name: wanted.name, request).id)
        } catch {
            // An earlier attempt whose answer was lost made it, or it is foreign: only a look tells.
            guard error.isConflict, let found = try? await engine.container(wanted.name),
                found.config.labels?[Labels.installation] == installation.text,
                found.config.labels?[Labels.identity] == identity.name,
                found.config.labels?[Labels.specHash] == wanted.specHash?.text, !found.state.isRunning
            else { throw error }
            return ContainerID(found.id)
        }
    }

    /// The networks by the engine's ids, since two of them can share a name.
    private func networkIDs(of wanted: DesiredContainer) async throws -> [NetworkRole: NetworkID] {
        let known = await networks.ids
        for endpoint in wanted.endpoints where known[endpoint.network] == nil {
            throw BottleError(
                .networkMissing,
                "the \(endpoint.network.rawValue) network is not there",
                at: wanted.name
            )
        }
        return known
    }

    private func upload(_ files: [DesiredFile], to id: ContainerID, _ wanted: DesiredContainer) async throws {
        for upload in try FileUpload.of(files, mounts: wanted.spec.mounts) {
            try await engine.putArchive(container: id.text, path: upload.folder, .bytes(upload.archive))
        }
    }

    /// Gives the home folder itself to the agent's account.
    ///
    /// The engine creates it as root's if the image has none, and its owner doesn't change with the user.
    private func giveHome(of wanted: DesiredContainer, in id: ContainerID) async throws {
        guard let home = wanted.home else { return }
        var path = home.path
        var stat = try await engine.stat(container: id.text, path: path)
        if let link = stat, link.isLink {
            path = link.linkTarget
            stat = try await engine.stat(container: id.text, path: path)
        }
        guard let stat, stat.isFolder, let upload = try FileUpload.ofFolder(path, like: stat, home.owner) else {
            return
        }
        try await engine.putArchive(container: id.text, path: upload.folder, .bytes(upload.archive))
    }

    private var registration: AgentRegistration {
        AgentRegistration(engine: engine, identity: identity, installation: installation, warn: warn)
    }

    // MARK: - Running

    private func start(_ id: ContainerID, _ wanted: DesiredContainer) async throws {
        try await tolerating(\.isNotModified) { () async throws(EngineError) in try await engine.start(id.text) }
        try await confirm(id, wanted)
    }

    private func confirm(_ id: ContainerID, _ wanted: DesiredContainer) async throws {
        guard let generation = wanted.generation else { return }
        let files = wanted.files.filter(\.isReloadable)
        try await watcher.confirm(generation, of: files, by: id, name: wanted.name)
    }

    /// Signals a sidecar to reload its files, and waits until it confirms them.
    ///
    /// - Parameter isCopied: whether its files were just corrected. It may still report a load of the wrong ones, so it
    ///   is signalled in any case.
    private func signal(_ id: ContainerID, _ wanted: DesiredContainer, isCopied: Bool) async throws {
        guard let generation = wanted.generation else {
            throw BottleError(.notReloadable, "nothing to load", at: wanted.name)
        }
        // The signal would end a program without a handler; it has one when its first confirmation is there.
        let said = try await watcher.firstWord(of: id, name: wanted.name)
        // A stale refusal of other files is cleared by one more reload.
        guard isCopied || said.inForce != generation || said.refusal != nil else { return }
        try await engine.kill(id.text, signal: "SIGHUP")
        try await confirm(id, wanted)
    }

    private func stop(_ action: Action) async throws {
        guard let target = action.container else { throw unplannable(action) }
        try await tolerating({ $0.isNotModified || $0.isNotFound }) { () async throws(EngineError) in
            try await engine.stop(target.text, timeout: nil)
        }
    }

    private func unpause(_ id: ContainerID) async throws {
        do {
            try await engine.unpause(id.text)
        } catch {
            guard try await !engine.container(id.text).state.isPaused else { throw error }
        }
    }

    // MARK: - Networks

    private func connect(_ id: ContainerID, _ wanted: DesiredContainer, to role: NetworkRole) async throws {
        guard let endpoint = wanted.endpoints.first(where: { $0.network == role }),
            let network = await networks.ids[role]
        else {
            throw BottleError(.networkMissing, "the \(role.rawValue) network is not there", at: wanted.name)
        }
        do {
            try await engine.connect(network: network.text, container: id.text, endpoint: endpoint.request)
        } catch {
            let attached = try await engine.container(id.text).networks.values.first { $0.networkID == network.text }
            guard let attached, endpoint.isMet(by: attached) else { throw error }
        }
    }

    private func disconnect(_ id: ContainerID, from network: NetworkID) async throws {
        do {
            try await engine.disconnect(network: network.text, container: id.text, force: true)
        } catch {
            let attached = try? await engine.container(id.text).networks.values.contains {
                $0.networkID == network.text
            }
            guard attached != true else { throw error }
        }
    }

    // MARK: - Removing

    private func remove(_ action: Action) async throws {
        guard let target = action.container else { throw unplannable(action) }
        do {
            try await engine.remove(target.text, force: true, volumes: true)
        } catch {
            if error.isNotFound { return }
            guard error.isConflict else { throw error }
            // Another client is removing it: wait until it is gone, so that its name is free.
            guard try await isGone(target, within: .seconds(10)) else { throw error }
        }
    }

    private func isGone(_ container: ContainerID, within patience: Duration) async throws -> Bool {
        let deadline = time.instant().advanced(by: patience)
        while time.instant() < deadline {
            do {
                _ = try await engine.container(container.text)
            } catch {
                guard error.isNotFound else { throw error }
                return true
            }
            try await time.sleep(for: .milliseconds(50))
        }
        return false
    }
}

extension DesiredContainer.Endpoint {
    /// Whether a container's attachment is the one that is wanted.
    fileprivate func isMet(by attached: NetworkEndpoint) -> Bool {
        guard let address else { return true }
        return attached.addressing?.ipv4Address == address.description || attached.ipAddress == address.description
    }
}

extension Resources {
    /// The request that sets these limits.
    fileprivate var update: ContainerUpdate {
        ContainerUpdate(
            memory: memory,
            memorySwap: memory,
            nanoCPUs: milliCPUs.map { Int64($0) * 1_000_000 },
            pidsLimit: pids.map(Int64.init),
            restartPolicy: .init(name: "no")
        )
    }
}
