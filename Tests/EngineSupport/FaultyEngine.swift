package import ReconcilerEngine

/// Any engine with things going wrong: what happens to a call is the injector's to say.
package struct FaultyEngine: Sendable {
    private let engine: any EngineWriting
    package let faults: FaultInjector

    package init(_ engine: any EngineWriting, faults: FaultInjector = FaultInjector()) {
        self.engine = engine
        self.faults = faults
    }

    private func look<Value: Sendable>(
        _ name: String,
        _ target: String = "",
        _ body: (any EngineWriting) async throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        try await act(EngineCall(name: name, target: target, isMutating: false), body)
    }

    private func change<Value: Sendable>(
        _ name: String,
        _ target: String,
        inPart: ((any EngineWriting) async throws(EngineError) -> Value)? = nil,
        _ body: (any EngineWriting) async throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        try await act(EngineCall(name: name, target: target, isMutating: true), inPart: inPart, body)
    }

    private func act<Value: Sendable>(
        _ call: EngineCall,
        inPart: ((any EngineWriting) async throws(EngineError) -> Value)? = nil,
        _ body: (any EngineWriting) async throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        switch try await faults.begin(call) {
        case .act: return try await body(engine)
        case .actInPart:
            _ = try? await inPart?(engine)
            await faults.die()
        case .actAndLoseReply:
            _ = try await body(engine)
            throw .transport("the connection was closed before the answer was whole")
        case .actAndDie:
            _ = try? await body(engine)
            await faults.die()
        }
        throw FaultInjector.death
    }
}

extension FaultyEngine: EngineWriting {
    package func ping() async throws(EngineError) -> EnginePing {
        try await look("ping") { engine throws(EngineError) in try await engine.ping() }
    }

    package func version() async throws(EngineError) -> EngineVersion {
        try await look("version") { engine throws(EngineError) in try await engine.version() }
    }

    package func info() async throws(EngineError) -> EngineInfo {
        try await look("info") { engine throws(EngineError) in try await engine.info() }
    }

    package func containers(labels: [String], all: Bool) async throws(EngineError) -> [ContainerSummary] {
        try await look("containers", labels.joined(separator: ",")) { engine throws(EngineError) in
            let found = try await engine.containers(labels: labels, all: all)
            for container in found { await faults.learn(container.id, container.names.first ?? container.id) }
            return found
        }
    }

    package func container(_ reference: String) async throws(EngineError) -> ContainerDetails {
        try await look("container", reference) { engine throws(EngineError) in
            let found = try await engine.container(reference)
            await faults.learn(found.id, found.name)
            return found
        }
    }

    package func stat(container: String, path: String) async throws(EngineError) -> PathStat? {
        try await look("stat", "\(container) \(path)") { engine throws(EngineError) in
            try await engine.stat(container: container, path: path)
        }
    }

    package func archive(container: String, path: String) async throws(EngineError) -> EngineStream<[UInt8]> {
        try await look("archive", "\(container) \(path)") { engine throws(EngineError) in
            try await engine.archive(container: container, path: path)
        }
    }

    package func logs(container: String, options: LogOptions) async throws(EngineError) -> EngineStream<OutputFrame> {
        try await look("logs", container) { engine throws(EngineError) in
            try await engine.logs(container: container, options: options)
        }
    }

    package func exec(_ id: String) async throws(EngineError) -> ExecDetails {
        try await look("exec", id) { engine throws(EngineError) in
            try await engine.exec(id)
        }
    }

    package func networks(labels: [String]) async throws(EngineError) -> [NetworkSummary] {
        try await look("networks", labels.joined(separator: ",")) { engine throws(EngineError) in
            let found = try await engine.networks(labels: labels)
            for network in found { await faults.learn(network.id, network.name) }
            return found
        }
    }

    package func network(_ reference: String) async throws(EngineError) -> NetworkSummary {
        try await look("network", reference) { engine throws(EngineError) in
            let found = try await engine.network(reference)
            await faults.learn(found.id, found.name)
            return found
        }
    }

    package func volumes(labels: [String]) async throws(EngineError) -> [VolumeSummary] {
        try await look("volumes", labels.joined(separator: ",")) { engine throws(EngineError) in
            try await engine.volumes(labels: labels)
        }
    }

    package func volume(_ name: String) async throws(EngineError) -> VolumeSummary {
        try await look("volume", name) { engine throws(EngineError) in
            try await engine.volume(name)
        }
    }

    package func images(labels: [String], reference: String?) async throws(EngineError) -> [ImageSummary] {
        try await look("images", reference ?? "") { engine throws(EngineError) in
            try await engine.images(labels: labels, reference: reference)
        }
    }

    package func image(_ reference: String) async throws(EngineError) -> ImageDetails {
        try await look("image", reference) { engine throws(EngineError) in
            try await engine.image(reference)
        }
    }

    package func events(_ query: EventQuery) async throws(EngineError) -> EngineStream<EngineEvent> {
        try await look("events", "") { engine throws(EngineError) in
            try await engine.events(query)
        }
    }

    package func createNetwork(_ network: NetworkCreate) async throws(EngineError) -> String {
        try await change("createNetwork", network.name) { engine throws(EngineError) in
            let id = try await engine.createNetwork(network)
            await faults.learn(id, network.name)
            return id
        }
    }

    package func removeNetwork(_ reference: String) async throws(EngineError) {
        try await change("removeNetwork", reference) { engine throws(EngineError) in
            try await engine.removeNetwork(reference)
        }
    }

    package func connect(network: String, container: String, endpoint: EndpointCreate) async throws(EngineError) {
        try await change("connect", "\(container) \(network)") { engine throws(EngineError) in
            try await engine.connect(network: network, container: container, endpoint: endpoint)
        }
    }

    package func disconnect(network: String, container: String, force: Bool) async throws(EngineError) {
        try await change("disconnect", "\(container) \(network)") { engine throws(EngineError) in
            try await engine.disconnect(network: network, container: container, force: force)
        }
    }

    package func createVolume(name: String, labels: [String: String]) async throws(EngineError) -> VolumeSummary {
        try await change("createVolume", name) { engine throws(EngineError) in
            try await engine.createVolume(name: name, labels: labels)
        }
    }

    package func removeVolume(_ name: String) async throws(EngineError) {
        try await change("removeVolume", name) { engine throws(EngineError) in
            try await engine.removeVolume(name)
        }
    }

    package func createContainer(name: String, _ container: ContainerCreate) async throws(EngineError)
        -> CreatedContainer
    {
        try await change("createContainer", name) { engine throws(EngineError) in
            let made = try await engine.createContainer(name: name, container)
            await faults.learn(made.id, name)
            return made
        }
    }

    package func start(_ container: String) async throws(EngineError) {
        try await change("start", container) { engine throws(EngineError) in
            try await engine.start(container)
        }
    }

    package func stop(_ container: String, timeout: Int?) async throws(EngineError) {
        try await change("stop", container) { engine throws(EngineError) in
            try await engine.stop(container, timeout: timeout)
        }
    }

    package func kill(_ container: String, signal: String) async throws(EngineError) {
        try await change("kill", "\(container) \(signal)") { engine throws(EngineError) in
            try await engine.kill(container, signal: signal)
        }
    }

    package func restart(_ container: String, timeout: Int?) async throws(EngineError) {
        try await change("restart", container) { engine throws(EngineError) in
            try await engine.restart(container, timeout: timeout)
        }
    }

    package func pause(_ container: String) async throws(EngineError) {
        try await change("pause", container) { engine throws(EngineError) in
            try await engine.pause(container)
        }
    }

    package func unpause(_ container: String) async throws(EngineError) {
        try await change("unpause", container) { engine throws(EngineError) in
            try await engine.unpause(container)
        }
    }

    package func rename(_ container: String, to name: String) async throws(EngineError) {
        try await change("rename", "\(container) \(name)") { engine throws(EngineError) in
            try await engine.rename(container, to: name)
        }
    }

    package func update(_ container: String, _ update: ContainerUpdate) async throws(EngineError) -> [String] {
        try await change("update", container) { engine throws(EngineError) in
            try await engine.update(container, update)
        }
    }

    package func remove(_ container: String, force: Bool, volumes: Bool) async throws(EngineError) {
        try await change("remove", container) { engine throws(EngineError) in
            try await engine.remove(container, force: force, volumes: volumes)
        }
    }

    package func wait(_ container: String) async throws(EngineError) -> Int {
        try await look("wait", container) { engine throws(EngineError) in
            try await engine.wait(container)
        }
    }

    package func exec(container: String, _ exec: ExecCreate, limit: Int) async throws(EngineError) -> ExecResult {
        try await change("exec", container) { engine throws(EngineError) in
            try await engine.exec(container: container, exec, limit: limit)
        }
    }

    package func build(context: EngineBody, options: BuildOptions) async throws(EngineError) -> EngineStream<
        ProgressLine
    > {
        try await change("build", options.tags.joined(separator: ",")) { engine throws(EngineError) in
            try await engine.build(context: context, options: options)
        }
    }

    package func pull(_ reference: String) async throws(EngineError) -> EngineStream<ProgressLine> {
        try await change("pull", reference) { engine throws(EngineError) in
            try await engine.pull(reference)
        }
    }

    package func tag(_ image: String, as reference: String) async throws(EngineError) {
        try await change("tag", reference) { engine throws(EngineError) in
            try await engine.tag(image, as: reference)
        }
    }

    package func removeImage(_ reference: String, force: Bool) async throws(EngineError) {
        try await change("removeImage", reference) { engine throws(EngineError) in
            try await engine.removeImage(reference, force: force)
        }
    }

    package func putArchive(
        container: String,
        path: String,
        _ archive: EngineBody,
        options: PutArchiveOptions
    ) async throws(EngineError) {
        let part: EngineBody? =
            switch archive {
            // Past the first headers, in the middle of what they announce.
            case .bytes(let bytes): .bytes(Array(bytes.prefix(bytes.count / 2 + 100)))
            case .stream: nil
            }
        try await change(
            "putArchive",
            "\(container) \(path)",
            inPart: { engine throws(EngineError) in
                guard let part else { return }
                try await engine.putArchive(container: container, path: path, part, options: options)
            },
            { engine throws(EngineError) in
                try await engine.putArchive(container: container, path: path, archive, options: options)
            }
        )
    }
}
