import FoundationEssentials
import ReconcilerEngine
import Testing

/// The Docker engine of this machine, for tests that hold the client to the truth.
enum RealEngine {
    static let image = "debian:trixie-slim"
    static let label = "engtest"

    /// Whether to run these tests: always when they are required, else when an engine answers.
    static func isWanted() async -> Bool {
        if ProcessInfo.processInfo.environment["BOTTLE_TEST_ENGINE"] == "required" { return true }
        return (try? await connect()) != nil
    }

    /// Seconds since 1970; the engine shares this machine's clock.
    static func now() -> Int64 {
        Int64(Date().timeIntervalSince1970)
    }

    static func connect() async throws -> EngineClient {
        let environment = ProcessInfo.processInfo.environment
        let address = try EngineAddress.resolve(flag: nil, environment: environment, home: environment["HOME"] ?? "/")
            .address
        return try await EngineClient.connect(to: address, timeout: .seconds(30))
    }

    /// Runs `body` and then undoes what it did, last things first, also when it throws.
    static func run(_ body: (RealEngineFixture) async throws -> Void) async throws {
        let fixture = RealEngineFixture(engine: try await connect())
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(fixture))
        } catch {
            result = .failure(error)
        }
        await fixture.tearDown()
        try result.get()
    }
}

/// What one test made in the engine.
actor RealEngineFixture {
    nonisolated let engine: EngineClient
    private var undo: [@Sendable (EngineClient) async throws -> Void] = []

    init(engine: EngineClient) {
        self.engine = engine
    }

    /// A name that no other test has.
    nonisolated func name(_ word: String) -> String {
        "engtest-\(word)-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
    }

    func onTearDown(_ step: @escaping @Sendable (EngineClient) async throws -> Void) {
        undo.append(step)
    }

    /// A created container of the base image that sleeps.
    func container(
        command: [String] = ["sleep", "600"],
        user: String? = nil,
        host: HostConfig = HostConfig(networkMode: "none", initProcess: true),
        endpoints: [String: EndpointCreate] = [:]
    ) async throws -> String {
        let name = name("c")
        let config = ContainerConfig(
            image: RealEngine.image,
            user: user,
            command: command,
            labels: [RealEngine.label: name]
        )
        let create = ContainerCreate(config: config, hostConfig: host, endpoints: endpoints)
        let made = try await engine.createContainer(name: name, create)
        onTearDown { try await $0.remove(made.id, force: true, volumes: true) }
        return made.id
    }

    func volume() async throws -> String {
        let name = name("v")
        _ = try await engine.createVolume(name: name, labels: [RealEngine.label: name])
        onTearDown { try await $0.removeVolume(name) }
        return name
    }

    func network(_ change: (inout NetworkCreate) -> Void = { _ in }) async throws -> (id: String, name: String) {
        let name = name("n")
        var create = NetworkCreate(name: name, isInternal: true, labels: [RealEngine.label: name])
        change(&create)
        let id = try await engine.createNetwork(create)
        onTearDown { try await $0.removeNetwork(id) }
        return (id, name)
    }

    func tearDown() async {
        for step in undo.reversed() {
            do {
                try await step(engine)
            } catch let error as EngineError where error.isNotFound {
                continue
            } catch {
                Issue.record("clean-up failed: \(error)")
            }
        }
        engine.close()
    }
}

/// The error that `body` throws; a failed expectation when it throws none.
func failure(
    of body: () async throws -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
) async -> EngineError? {
    do {
        try await body()
        Issue.record("no error was thrown", sourceLocation: sourceLocation)
        return nil
    } catch {
        let error = error as? EngineError
        if error == nil { Issue.record("the error is not an EngineError", sourceLocation: sourceLocation) }
        return error
    }
}
