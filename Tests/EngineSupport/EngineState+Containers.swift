package import ReconcilerEngine

extension EngineState {
    /// The container that an id, a name or the beginning of an id means.
    func find(_ reference: String) throws(EngineError) -> MemoryContainer {
        if let exact = containers[reference] { return exact }
        let name = reference.hasPrefix("/") ? String(reference.dropFirst()) : reference
        if let named = containers.values.first(where: { $0.name == name }) { return named }
        let begun = containers.values.filter { $0.id.hasPrefix(reference) && reference.utf8.count >= 4 }
        guard begun.count == 1, let only = begun.first else {
            throw Self.refusal(404, "No such container: \(reference)")
        }
        return only
    }

    private func taken(_ name: String) -> String? {
        guard let holder = containers.values.first(where: { $0.name == name }) else { return nil }
        return "Conflict. The container name \"/\(name)\" is already in use by container \"\(holder.id)\". "
            + "You have to remove (or rename) that container to be able to reuse that name."
    }

    package mutating func createContainer(
        name: String,
        _ request: ContainerCreate
    ) throws(EngineError) -> CreatedContainer {
        guard !name.isEmpty else { throw .invalidArgument("a container needs a name") }
        guard Self.isName(name) else { throw Self.refusal(400, Self.invalidName(name)) }
        guard let reference = request.config.image, let image = findImage(reference) else {
            throw Self.refusal(404, "No such image: \(Self.tagged(request.config.image ?? ""))")
        }
        guard request.endpoints.count <= 1 else {
            let names = request.endpoints.keys.sorted().joined(separator: ", ")
            throw Self.refusal(400, "Container cannot be connected to network endpoints: \(names)")
        }
        if let words = taken(name) { throw Self.refusal(409, words) }
        let id = freshID("container")
        var config = request.config.merged(over: image.config)
        config.hostname = config.hostname ?? String(id.prefix(12))
        var container = MemoryContainer(
            id: id,
            name: name,
            imageID: image.id,
            config: config,
            hostConfig: request.hostConfig,
            mounts: request.hostConfig.mounts ?? [],
            root: image.files,
            program: PlainProgram(),
            createdAt: clock
        )
        let mode = request.hostConfig.networkMode ?? "default"
        let key = mode == "default" ? "bridge" : mode
        let asked = request.endpoints[key] ?? request.endpoints.values.first ?? EndpointCreate()
        let known = (try? findNetwork(key))?.summary.name ?? key
        container.endpoints[known] = .init(
            wire: NetworkEndpoint(aliases: asked.aliases ?? [], addressing: asked.addressing)
        )
        tell("create", of: container)
        for mount in container.mounts where mount.type == .volume {
            container.root[mount.target] =
                container.root[mount.target] ?? .init(.folder, mode: 0o755, modifiedAt: clock)
            let source = mount.source ?? ""
            if volumes[source] == nil { _ = makeVolume(source, labels: mount.volumeOptions?.labels ?? [:]) }
            if mount.volumeOptions?.noCopy != true, volumes[source]?.files.isEmpty == true {
                volumes[source]?.files = container.root.subtree(mount.target)
            }
        }
        containers[id] = container
        count("create", "container", name)
        return CreatedContainer(id: id)
    }

    package mutating func start(_ reference: String) throws(EngineError) {
        let container = try find(reference)
        guard !container.state.isPaused else {
            throw Self.refusal(409, "cannot start a paused container, try unpause instead")
        }
        guard !container.isRunning else { throw Self.refusal(304, "") }
        do {
            try bringUpAll(of: container.id)
        } catch {
            for name in container.endpoints.keys { takeDown(name, of: container.id) }
            containers[container.id]?.state.error = Self.words(error)
            if container.state.startedAt == nil { containers[container.id]?.state.exitCode = 128 }
            throw error
        }
        run(container.id)
    }

    private static func words(_ error: EngineError) -> String {
        guard case .http(let failure) = error else { return "\(error)" }
        return failure.message
    }

    private mutating func bringUpAll(of id: String) throws(EngineError) {
        for name in (containers[id]?.endpoints.keys.sorted() ?? []) {
            guard let container = containers[id], var endpoint = container.endpoints[name] else { continue }
            let reference = endpoint.wire.networkID.isEmpty ? name : endpoint.wire.networkID
            let network = try findNetwork(reference).summary
            try bringUp(&endpoint, of: container, on: network)
            containers[id]?.endpoints[name] = endpoint
            tellPlace("connect", id, network)
        }
    }

    private mutating func run(_ id: String) {
        guard var container = containers[id] else { return }
        container.state = ContainerState(
            status: "running",
            isRunning: true,
            pid: 1000 + restartCountOfAll,
            startedAt: clock,
            finishedAt: container.state.finishedAt
        )
        container.isAskedToEnd = false
        var targets = (container.hostConfig.tmpfs ?? [:]).keys.sorted()
        targets += container.mounts.filter { $0.type == .tmpfs }.map(\.target)
        for target in targets {
            container.memory[target] = FileTree()
            container.root[target] = container.root[target] ?? .init(.folder, mode: 0o755, modifiedAt: clock)
        }
        container.program = images[container.imageID]?.start(container.config) ?? PlainProgram()
        containers[id] = container
        count("start", "container", container.name)
        tell("start", of: container)
    }

    private var restartCountOfAll: Int { containers.values.map(\.restartCount).reduce(0, +) }

    package mutating func stop(_ reference: String, timeout: Int?) throws(EngineError) {
        let container = try find(reference)
        guard container.isRunning else { throw Self.refusal(304, "") }
        end(container.id, timeout: timeout)
        if let container = containers[container.id] {
            count("stop", "container", container.name)
            tell("stop", of: container)
        }
    }

    /// Asks a running container to end, and kills it when its time is over.
    private mutating func end(_ id: String, timeout: Int?) {
        guard let container = containers[id] else { return }
        containers[id]?.isAskedToEnd = true
        let name = Self.signalName(container.config.stopSignal ?? "TERM") ?? "TERM"
        deliver(name, to: id)
        var patience = (timeout ?? container.config.stopTimeout ?? 10) * 1000
        while containers[id]?.isRunning == true, patience > 0 {
            if containers[id]?.program.isIdle == true {
                advance(milliseconds: patience)
                break
            }
            pass()
            patience -= 1
        }
        if containers[id]?.isRunning == true { deliver("KILL", to: id) }
    }

    package mutating func restart(_ reference: String, timeout: Int?) throws(EngineError) {
        let container = try find(reference)
        if container.isRunning {
            end(container.id, timeout: timeout)
            if let container = containers[container.id] { tell("stop", of: container) }
        }
        try start(container.id)
        count("restart", "container", container.name)
        if let container = containers[container.id] { tell("restart", of: container) }
    }

    package mutating func kill(_ reference: String, signal: String) throws(EngineError) {
        guard !signal.isEmpty else { throw .invalidArgument("a signal needs a name") }
        guard let name = Self.signalName(signal) else { throw Self.refusal(400, "Invalid signal: \(signal)") }
        let container = try find(reference)
        guard container.isRunning else {
            throw Self.refusal(409, "Cannot kill container: \(reference): Container \(container.id) is not running")
        }
        containers[container.id]?.isAskedToEnd = true
        count("signal", "container", "\(container.name) \(name)")
        deliver(name, to: container.id)
    }

    package mutating func pause(_ reference: String) throws(EngineError) {
        let container = try find(reference)
        guard container.isRunning else { throw Self.refusal(409, "Container \(container.id) is not running") }
        guard !container.state.isPaused else {
            throw Self.refusal(409, "Container \(container.id) is already paused")
        }
        containers[container.id]?.state.isPaused = true
        containers[container.id]?.state.status = "paused"
        tell("pause", of: container)
    }

    package mutating func unpause(_ reference: String) throws(EngineError) {
        let container = try find(reference)
        guard container.state.isPaused else { throw Self.refusal(500, "Container \(container.id) is not paused") }
        thaw(container.id)
        count("unpause", "container", container.name)
    }

    mutating func thaw(_ id: String) {
        containers[id]?.state.isPaused = false
        containers[id]?.state.status = "running"
        if let container = containers[id] { tell("unpause", of: container) }
    }

    package mutating func rename(_ reference: String, to name: String) throws(EngineError) {
        let container = try find(reference)
        guard name != container.name else {
            throw Self.refusal(400, "Renaming a container with the same name as its current name")
        }
        guard Self.isName(name) else {
            throw Self.refusal(400, "Error when allocating new name: \(Self.invalidName(name))")
        }
        if let words = taken(name) { throw Self.refusal(409, "Error when allocating new name: \(words)") }
        containers[container.id]?.name = name
        if let renamed = containers[container.id] { tell("rename", of: renamed, ["oldName": "/\(container.name)"]) }
    }

    package mutating func update(_ reference: String, _ update: ContainerUpdate) throws(EngineError) -> [String] {
        let container = try find(reference)
        var host = container.hostConfig
        // Zero says nothing of a limit; only that of processes can be taken away, by -1.
        if let memory = update.memory, memory > 0 { host.memory = memory }
        if let swap = update.memorySwap, swap != 0 { host.memorySwap = swap }
        if let cpus = update.nanoCPUs, cpus > 0 { host.nanoCPUs = cpus }
        if let pids = update.pidsLimit { host.pidsLimit = max(0, pids) }
        if let memory = host.memory, let swap = host.memorySwap, swap > 0, memory > swap {
            throw Self.refusal(
                409,
                "Cannot update container \(container.id): Memory limit should be smaller than already set memoryswap limit, "
                    + "update the memoryswap at the same time"
            )
        }
        if let policy = update.restartPolicy { host.restartPolicy = policy }
        containers[container.id]?.hostConfig = host
        count("update", "container", container.name)
        tell("update", of: container)
        return []
    }

    package mutating func remove(_ reference: String, force: Bool) throws(EngineError) {
        let container = try find(reference)
        if container.isRunning, !force {
            let how =
                container.state.isPaused
                ? ("paused", "Unpause and then stop the container before attempting removal or force remove")
                : ("running", "Stop the container before attempting removal or force remove")
            throw Self.refusal(409, "You cannot remove a \(how.0) container \(container.id). \(how.1)")
        }
        if container.isRunning {
            containers[container.id]?.isAskedToEnd = true
            deliver("KILL", to: container.id)
        }
        containers[container.id] = nil
        count("remove", "container", container.name)
        tell("destroy", of: container)
    }

    // MARK: - Words

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count > 1 else { return false }
        func isPlain(_ byte: UInt8) -> Bool {
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }
        return isPlain(first)
            && name.utf8.allSatisfy {
                isPlain($0) || [UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-")].contains($0)
            }
    }

    private static func invalidName(_ name: String) -> String {
        "Invalid container name (/\(name)), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
    }
}

extension ContainerConfig {
    /// This configuration, with the image's where it says nothing.
    func merged(over image: ContainerConfig) -> ContainerConfig {
        var merged = self
        if user?.isEmpty ?? true { merged.user = image.user }
        var variables: [(name: Substring, line: String)] = []
        for line in (image.environment ?? []) + (environment ?? []) {
            let name = line.prefix { $0 != "=" }
            variables.removeAll { $0.name == name }
            variables.append((name, line))
        }
        merged.environment = variables.map(\.line)
        if command == nil, entrypoint == nil { merged.command = image.command }
        merged.entrypoint = entrypoint ?? image.entrypoint
        merged.workingFolder = workingFolder ?? image.workingFolder
        merged.labels = (image.labels ?? [:]).merging(labels ?? [:]) { $1 }
        merged.stopSignal = stopSignal ?? image.stopSignal
        return merged
    }
}
