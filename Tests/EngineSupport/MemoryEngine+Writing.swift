package import ReconcilerEngine

extension MemoryEngine: EngineWriting {
    package func createNetwork(_ network: NetworkCreate) throws(EngineError) -> String {
        try call { state throws(EngineError) in try state.createNetwork(network) }
    }

    package func removeNetwork(_ reference: String) throws(EngineError) {
        try call { state throws(EngineError) in try state.removeNetwork(reference) }
    }

    package func connect(network: String, container: String, endpoint: EndpointCreate) throws(EngineError) {
        try call { state throws(EngineError) in
            try state.connect(network: network, container: container, endpoint: endpoint)
        }
    }

    package func disconnect(network: String, container: String, force: Bool) throws(EngineError) {
        try call { state throws(EngineError) in
            try state.disconnect(network: network, container: container, force: force)
        }
    }

    package func createVolume(name: String, labels: [String: String]) throws(EngineError) -> VolumeSummary {
        try call { state throws(EngineError) in state.makeVolume(name, labels: labels) }
    }

    package func removeVolume(_ name: String) throws(EngineError) {
        try call { state throws(EngineError) in try state.removeVolume(name) }
    }

    package func createContainer(name: String, _ container: ContainerCreate) throws(EngineError) -> CreatedContainer {
        try call { state throws(EngineError) in try state.createContainer(name: name, container) }
    }

    package func start(_ container: String) throws(EngineError) {
        try call { state throws(EngineError) in try state.start(container) }
    }

    package func stop(_ container: String, timeout: Int?) throws(EngineError) {
        try call { state throws(EngineError) in try state.stop(container, timeout: timeout) }
    }

    package func kill(_ container: String, signal: String) throws(EngineError) {
        try call { state throws(EngineError) in try state.kill(container, signal: signal) }
    }

    package func restart(_ container: String, timeout: Int?) throws(EngineError) {
        try call { state throws(EngineError) in try state.restart(container, timeout: timeout) }
    }

    package func pause(_ container: String) throws(EngineError) {
        try call { state throws(EngineError) in try state.pause(container) }
    }

    package func unpause(_ container: String) throws(EngineError) {
        try call { state throws(EngineError) in try state.unpause(container) }
    }

    package func rename(_ container: String, to name: String) throws(EngineError) {
        try call { state throws(EngineError) in try state.rename(container, to: name) }
    }

    package func update(_ container: String, _ update: ContainerUpdate) throws(EngineError) -> [String] {
        try call { state throws(EngineError) in try state.update(container, update) }
    }

    package func remove(_ container: String, force: Bool, volumes: Bool) throws(EngineError) {
        try call { state throws(EngineError) in try state.remove(container, force: force) }
    }

    package func wait(_ container: String) async throws(EngineError) -> Int {
        let id = try call { state throws(EngineError) in try state.find(container).id }
        while true {
            let (isRunning, code) = try call { state throws(EngineError) in
                let found = state.containers[id]
                return (found?.isRunning ?? false, found?.state.exitCode ?? 0)
            }
            guard isRunning else { return code }
            if state.containers[id]?.program.isIdle == true { try await Self.rest() }
        }
    }

    package func putArchive(
        container: String,
        path: String,
        _ archive: EngineBody,
        options: PutArchiveOptions
    ) async throws(EngineError) {
        let (id, folder) = try call { state throws(EngineError) in try state.beginUnpacking(container, at: path) }
        let name = state.containers[id]?.name ?? id
        let (files, failure) = try await Self.files(of: archive)
        for (index, file) in files.enumerated() {
            let isBroken = failure != nil && index == files.count - 1
            let half = Array(file.content.prefix(file.content.count / 2))
            if file.entry.kind == .file {
                // Between these two, everybody can see a part of the file.
                try call { state throws(EngineError) in
                    try state.unpack(file.entry, content: half, isWhole: false, below: folder, in: id, options)
                }
                await Task.yield()
            }
            guard !isBroken else { continue }
            try call { state throws(EngineError) in
                try state.unpack(file.entry, content: file.content, isWhole: true, below: folder, in: id, options)
            }
        }
        if let failure {
            if case .archive = failure {
                throw EngineState.refusal(500, "Error processing tar file(exit status 1): unexpected EOF")
            }
            throw failure
        }
        try call { state throws(EngineError) in
            for file in files where file.entry.kind != .folder {
                state.count("copy", "container", "\(name) \(FileTree.join(folder, file.entry.path))")
            }
            if let container = state.containers[id] { state.tell("extract-to-dir", of: container) }
        }
    }

    package func exec(container: String, _ exec: ExecCreate, limit: Int) throws(EngineError) -> ExecResult {
        var result = try call { state throws(EngineError) in try state.exec(container, exec) }
        result.isTruncated = result.output.count > limit || result.errors.count > limit
        result.output = Array(result.output.prefix(limit))
        result.errors = Array(result.errors.prefix(limit))
        return result
    }

    package func build(context: EngineBody, options: BuildOptions) async throws(EngineError) -> EngineStream<
        ProgressLine
    > {
        let (files, failure) = try await Self.files(of: context)
        if let failure { throw failure }
        return EngineStream(try call { state throws(EngineError) in try state.build(files, options) })
    }

    package func pull(_ reference: String) throws(EngineError) -> EngineStream<ProgressLine> {
        EngineStream(try call { state throws(EngineError) in try state.pull(reference) })
    }

    package func tag(_ image: String, as reference: String) throws(EngineError) {
        try call { state throws(EngineError) in try state.tag(image, as: reference) }
    }

    package func removeImage(_ reference: String, force: Bool) throws(EngineError) {
        try call { state throws(EngineError) in try state.removeImage(reference, force: force) }
    }

    /// The entries of an archive as far as it goes, and why it goes no further.
    private static func files(of body: EngineBody) async throws(EngineError) -> ([TarFile], EngineError?) {
        let stream: EngineStream<[UInt8]> =
            switch body {
            case .bytes(let bytes): EngineStream([bytes])
            case .stream(let stream): stream
            }
        var reader = TarReader()
        var files: [TarFile] = []
        var chunks = stream.makeAsyncIterator()
        do {
            while let chunk = try await chunks.next() {
                for part in try reader.read(chunk) {
                    switch part {
                    case .entry(let entry): files.append(TarFile(entry: entry, content: []))
                    case .content(let bytes): files[files.count - 1].content += bytes
                    }
                }
            }
            try reader.finish()
        } catch {
            return (files, error)
        }
        return (files, nil)
    }
}
