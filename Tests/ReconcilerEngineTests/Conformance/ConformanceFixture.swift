import EngineTestSupport
import ReconcilerEngine
import ReconcilerTime
import Testing

/// An engine of either kind, and what one scenario made in it.
actor ConformanceFixture {
    nonisolated let engine: any EngineWriting
    nonisolated let image = RealEngine.image
    /// A third number of an address that no other scenario has.
    nonisolated let place: Int
    private var undo: [@Sendable (any EngineWriting) async throws -> Void] = []

    init(engine: any EngineWriting, place: Int) {
        self.engine = engine
        self.place = place
    }

    /// Plays on `engine`, and undoes what was done there, last things first.
    static func play(_ scenario: Scenario, on engine: any EngineWriting, place: Int) async throws {
        let fixture = ConformanceFixture(engine: engine, place: place)
        let result: Result<Void, any Error>
        do {
            result = .success(try await scenario.play(fixture))
        } catch {
            result = .failure(error)
        }
        await fixture.tearDown()
        try result.get()
    }

    /// An in-memory engine with a base image like the real one's.
    static func memory() -> MemoryEngine {
        var state = EngineState()
        let files = FileTree(files: [
            "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\n", "/etc/skel/.bashrc": "# skel\n", "/root/.bashrc": "",
            "/tmp/.keep": "",
        ])
        state.add(ContainerBehaviour.image(RealEngine.image, Scenario.behaviours, files: files))
        return MemoryEngine(state)
    }

    nonisolated func name(_ word: String) -> String {
        "hx-lo-\(word)-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
    }

    func onTearDown(_ step: @escaping @Sendable (any EngineWriting) async throws -> Void) { undo.append(step) }

    /// A block of addresses of this scenario's own.
    nonisolated func subnet(_ index: Int = 0) -> String { "10.214.\(place).\(index * 16)/28" }
    nonisolated func address(_ number: Int, in index: Int = 0) -> String { "10.214.\(place).\(index * 16 + number)" }

    func network(_ index: Int = 0, name: String? = nil, checkDuplicate: Bool = true) async throws -> (
        id: String, name: String
    ) {
        let name = name ?? self.name("n")
        let id = try await engine.createNetwork(
            NetworkCreate(
                name: name,
                checkDuplicate: checkDuplicate,
                isInternal: true,
                ipam: IPAM(pools: [IPAM.Pool(subnet: subnet(index))]),
                options: ["com.docker.network.bridge.inhibit_ipv4": "true"],
                labels: [RealEngine.label: name]
            )
        )
        onTearDown { try await $0.removeNetwork(id) }
        return (id, name)
    }

    func volume(_ labels: [String: String] = [:]) async throws -> String {
        let name = name("v")
        _ = try await engine.createVolume(name: name, labels: labels)
        onTearDown { try await $0.removeVolume(name) }
        return name
    }

    /// A created container; under an init unless `host` says otherwise.
    func container(
        _ behaviour: ContainerBehaviour = .sleeps,
        host: HostConfig = HostConfig(),
        on network: String? = nil,
        at address: String? = nil,
        aliases: [String] = [],
        labels: [String: String] = [:]
    ) async throws -> String {
        var host = host
        host.networkMode = network ?? "none"
        host.initProcess = host.initProcess ?? true
        let name = name("c")
        let made = try await engine.createContainer(
            name: name,
            ContainerCreate(
                config: ContainerConfig(image: image, command: behaviour.command, labels: labels),
                hostConfig: host,
                endpoints: network.map { [$0: EndpointCreate(ipv4: address, aliases: aliases)] } ?? [:]
            )
        )
        onTearDown { try await $0.remove(made.id, force: true, volumes: true) }
        return made.id
    }

    /// A running container with both folders that a reloading program needs, on volumes.
    func reloading(_ behaviour: ContainerBehaviour, host: HostConfig = HostConfig()) async throws -> String {
        var host = host
        host.mounts = [
            Mount(type: .volume, source: try await volume(), target: "/etc/loop"),
            Mount(type: .volume, source: try await volume(), target: "/run/bottle"),
        ]
        host.readOnlyRoot = true
        return try await container(behaviour, host: host)
    }

    func put(_ text: String, at path: String, in container: String) async throws {
        let parts = path.split(separator: "/").map(String.init)
        let file = TarFile(
            entry: TarEntry(path: parts[parts.count - 1], modifiedAt: Self.time),
            content: Array(text.utf8)
        )
        try await unpack([file], in: "/" + parts.dropLast().joined(separator: "/"), of: container)
    }

    func unpack(_ files: [TarFile], in folder: String, of container: String) async throws {
        try await engine.putArchive(container: container, path: folder, .bytes(Self.archive(files)))
    }

    static func archive(_ files: [TarFile]) throws -> [UInt8] {
        var writer = TarWriter()
        for file in files { try writer.add(file.entry, content: file.content) }
        return writer.finish()
    }

    static let time = Timestamp(seconds: 1_700_000_000, nanoseconds: 123_456_789)

    func read(_ path: String, in container: String) async throws -> String? {
        guard try await engine.stat(container: container, path: path) != nil else { return nil }
        let files = try await engine.archive(container: container, path: path).tarFiles(upTo: 1 << 20)
        return files.first.map { String(decoding: $0.content, as: UTF8.self) }
    }

    /// Asks until there is an answer; an issue when none comes in 20 seconds.
    func eventually<Value>(
        _ what: Comment,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ ask: () async throws -> Value?
    ) async throws -> Value {
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while ContinuousClock.now < deadline {
            if let answer = try await ask() { return answer }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record(what, sourceLocation: sourceLocation)
        throw CancellationError()
    }

    private func tearDown() async {
        for step in undo.reversed() {
            do {
                try await step(engine)
            } catch let error as EngineError where error.isNotFound {
                continue
            } catch {
                Issue.record("clean-up failed: \(error)")
            }
        }
    }
}
