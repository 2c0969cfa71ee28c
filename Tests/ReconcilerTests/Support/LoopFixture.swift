import EngineTestSupport
import FoundationEssentials
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime
import Testing

/// One installation on one in-memory engine: a state folder of its own, removed with it, and whole passes over it.
final class LoopFixture: Sendable {
    let folder: String
    let engine: MemoryEngine

    /// A moment to which one can go back: what the engine holds, and a copy of the state folder.
    struct Moment: Sendable {
        let world: EngineState
        let fixture: LoopFixture
    }

    private init(folder: String, engine: MemoryEngine) {
        self.folder = folder
        self.engine = engine
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var state: String { "\(folder)/state" }

    private static func freshFolder() throws -> String {
        // In memory where there is such a place: every commit and record is forced to the disk, and none has to last.
        let place = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : "/tmp"
        let folder = "\(place)/bottle-loop-test.\(POSIX.randomHexadecimal().prefix(12))"
        try POSIX.makeFolder(folder)
        return folder
    }

    /// A new installation, which has made nothing yet.
    static func fresh(_ engine: EngineState = SampleEngine.engine) async throws -> LoopFixture {
        let fixture = LoopFixture(folder: try freshFolder(), engine: MemoryEngine(engine))
        await fixture.engine.watch(Invariant.violations)
        _ = try await fixture.installation()
        return fixture
    }

    /// An installation whose bottle has converged to `manifest`.
    static func converged(_ manifest: BottleManifest = SampleManifest.routed) async throws -> LoopFixture {
        let fixture = try await fresh()
        try await fixture.commit(manifest)
        let result = try await fixture.run()
        guard case .converged = result.outcome else { throw NotConverged(result: result) }
        return fixture
    }

    struct NotConverged: Error, CustomStringConvertible {
        let result: PassResult
        var description: String {
            "\(result.outcome) after \(result.performed.map { "\($0.action.text) \($0.outcome) \($0.error ?? "")" })"
        }
    }

    /// Another installation on the same engine.
    func beside() async throws -> LoopFixture {
        let fixture = LoopFixture(folder: try Self.freshFolder(), engine: engine)
        _ = try await fixture.installation()
        return fixture
    }

    /// The same installation and world again, free to go another way.
    func fork() async throws -> LoopFixture { try await fork(state: state) }

    /// The same world with the state folder that is kept at `path`.
    func fork(state path: String) async throws -> LoopFixture {
        let folder = try Self.freshFolder()
        try FileManager.default.copyItem(atPath: path, toPath: "\(folder)/state")
        let fixture = LoopFixture(folder: folder, engine: MemoryEngine(await engine.world))
        await fixture.engine.watch(Invariant.violations)
        return fixture
    }

    /// Keeps a copy of the state folder as it is at this very moment.
    func keepState(as name: String) {
        // A file that is being replaced can vanish while it is copied.
        for _ in 0..<20 {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
            if (try? FileManager.default.copyItem(atPath: state, toPath: "\(folder)/\(name)")) != nil { return }
        }
    }

    // MARK: - What a process does

    /// What a process that begins now works with.
    func installation(
        _ other: (any EngineWriting)? = nil,
        credentials: Credentials = SampleEngine.credentials()
    ) async throws -> Installation {
        let state = try StateFolder.create(state)
        return Installation(
            state: state,
            repository: try await DesiredRepository.create(
                in: state,
                environment: ["PATH": Self.path, "HOME": folder]
            ),
            settings: Settings(),
            engine: other ?? engine,
            contexts: BuildContexts(bundled: SampleEngine.contexts, stored: state.contexts),
            credentials: credentials
        )
    }

    private static let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"

    /// Commits a manifest to the desired state.
    func commit(_ manifest: BottleManifest) async throws {
        _ = try await installation().repository.commit(
            [DesiredRepository.path(of: manifest.identity): .write(ManifestDocument.yaml(of: manifest))],
            message: "apply"
        )
    }

    /// Commits that the bottle is not desired any more.
    func uncommit() async throws {
        _ = try await installation().repository.commit(
            [DesiredRepository.path(of: SampleManifest.identity): .remove],
            message: "delete"
        )
    }

    /// The time of every pass.
    static let now = SampleManifest.known(try Timestamp("2026-01-01T00:00:00Z"))

    /// One pass of a new process.
    func run(
        of identity: Identity = SampleManifest.identity,
        on other: (any EngineWriting)? = nil,
        credentials: Credentials = SampleEngine.credentials(),
        mayEndAgent: Bool = true,
        reading: Set<Role> = []
    ) async throws -> PassResult {
        var pass = try await pass(of: identity, on: other, credentials: credentials)
        pass.reading = reading
        return try await pass.run(mayEndAgent: mayEndAgent)
    }

    func pass(
        of identity: Identity = SampleManifest.identity,
        on other: (any EngineWriting)? = nil,
        credentials: Credentials = SampleEngine.credentials()
    ) async throws -> BottlePass {
        BottlePass(
            identity,
            in: try await installation(other, credentials: credentials),
            time: TimeSource(now: { Self.now }),
            report: { _, _ in }
        )
    }

    /// What the next pass would do, and changes nothing.
    func plan(
        of identity: Identity = SampleManifest.identity,
        credentials: Credentials = SampleEngine.credentials(),
        reading: Set<Role> = []
    ) async throws -> Plan {
        let installation = try await installation(credentials: credentials)
        guard let desired = try await installation.repository.desired(of: identity, at: Self.now) else {
            return Plan(identity: identity)
        }
        let assessor = Assessor(
            engine: engine,
            settings: installation.settings,
            contexts: installation.contexts,
            facts: installation.facts,
            guessesFacts: false
        )
        return try await assessor.assess(
            installation.subject(desired.state.remedied, revision: desired.revision),
            inventory: Inventory.take(from: engine),
            reading: reading
        ).plan
    }

    func record() async throws -> BottleRecord? { try await installation().records.load(SampleManifest.identity) }

    /// Changes what our record says of the bottle.
    func change(_ change: (inout BottleRecord) -> Void) async throws {
        let records = try await installation().records
        var record = try #require(try records.load(SampleManifest.identity))
        change(&record)
        try records.save(record, for: SampleManifest.identity)
    }

    func status() async throws -> BottleStatus? { try await installation().statuses.load(SampleManifest.identity) }
}
