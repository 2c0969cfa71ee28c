import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerPlatform
import Testing

/// Where one test, or one suite, works: folders of its own, bottles of its own, and the way back.
///
/// What it made is removed last thing first; nothing else is touched.
actor BottleFixture {
    nonisolated let folder: String
    nonisolated let engine: EngineClient
    /// What the programs run with: no variable of the developer's but where programs and the engine are.
    nonisolated let environment: [String: String]
    /// The operator's settings that are in place.
    nonisolated let settings: String
    private var undo: [@Sendable () async throws -> Void] = []
    private var stateFolders: [String] = []

    private init(engine: EngineClient) throws {
        self.engine = engine
        folder = "/tmp/bottle-test.\(POSIX.randomHexadecimal().prefix(12))"
        try POSIX.makeFolder(folder)
        for name in ["home", "config", "config/bottle"] { try POSIX.makeFolder("\(folder)/\(name)") }
        let own = ProcessInfo.processInfo.environment
        // Fixtures run side by side; from one pool they would all take the same first block.
        let pool = "10.\(Int.random(in: 128...199)).\(Int.random(in: 0...255)).0/24"
        settings = "network: {pool: \(pool)}\n"
        try DurableFile.write(Array(settings.utf8), to: "\(folder)/config/bottle/config.yaml")
        environment = [
            "PATH": own["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
            "HOME": "\(folder)/home",
            "XDG_CONFIG_HOME": "\(folder)/config",
            "BOTTLE_STATE_DIR": "\(folder)/state",
        ].merging(own.filter { $0.key.hasPrefix("DOCKER_") }) { $1 }
    }

    /// Runs `body` and then undoes what it did, also when it throws.
    static func run<Value: Sendable>(_ body: (BottleFixture) async throws -> Value) async throws -> Value {
        let fixture = try BottleFixture(engine: try await TestEngine.connect())
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(fixture))
        } catch {
            result = .failure(error)
        }
        await fixture.tearDown()
        return try result.get()
    }

    nonisolated var state: String { "\(folder)/state" }

    /// A unique name.
    nonisolated func name() -> String { "bt-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))" }

    func onTearDown(_ step: @escaping @Sendable () async throws -> Void) { undo.append(step) }

    // MARK: - Programs

    /// Runs `bottle`.
    ///
    /// - Parameter kill: the signal that ends it, and after how long.
    nonisolated func bottle(
        _ arguments: [String],
        environment more: [String: String] = [:],
        input: String = "",
        in workingFolder: String? = nil,
        kill: (signal: String, after: Duration)? = nil
    ) async throws -> Run {
        let all = environment.merging(more) { $1 }
        if let state = all["BOTTLE_STATE_DIR"] { await remember(state) }
        var line = [executable] + arguments
        // In the foreground: it signals this one process and leaves what that started to itself.
        if let kill {
            line =
                ["timeout", "--foreground", "--preserve-status", "-s", kill.signal, "\(kill.after / .seconds(1))"]
                + line
        }
        return try await run(line, environment: all, input: input, in: workingFolder)
    }

    nonisolated func bottle(_ arguments: String..., environment: [String: String] = [:]) async throws -> Run {
        try await bottle(arguments, environment: environment)
    }

    /// Writes the manifest and applies it, replacing agents unasked.
    nonisolated func apply(_ sample: SampleBottle, environment: [String: String] = [:]) async throws -> Run {
        try await bottle(["apply", "-f", try write(sample), "--yes", "-o", "json"], environment: environment)
    }

    /// Applies, and the test ends here when that fails.
    @discardableResult
    nonisolated func applied(
        _ sample: SampleBottle,
        environment: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Run {
        let run = try await apply(sample, environment: environment)
        try #require(run.status == 0, "\(run)", sourceLocation: sourceLocation)
        return run
    }

    /// Runs the docker CLI; the test ends here when it fails.
    @discardableResult
    nonisolated func docker(
        _ arguments: String...,
        input: String = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let run = try await run(["docker"] + arguments, input: input)
        try #require(run.status == 0, "docker \(arguments): \(run)", sourceLocation: sourceLocation)
        return String(run.output.trimmingSuffix(while: \.isNewline))
    }

    /// A shell's line that pauses a container.
    ///
    /// A kernel that can't freeze its processes just then (seen on busy machines) is asked again.
    nonisolated static func freezing(_ container: String) -> String {
        "for i in 1 2 3 4 5 6 7 8 9; do docker pause \(container) && exit; sleep 0.5; done; docker pause \(container)"
    }

    /// Pauses a container; the test ends here when it can't be.
    nonisolated func freeze(_ container: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let run = try await run(["sh", "-c", Self.freezing(container)])
        try #require(run.status == 0, "\(run)", sourceLocation: sourceLocation)
    }

    /// The JSON lines of a container's log that are wanted; waits a while for the first when one is due.
    nonisolated func logged<Line: Decodable & Sendable>(
        by container: String,
        due: Bool,
        isWanted: (Line) -> Bool
    ) async throws -> [Line] {
        for _ in 0..<(due ? 50 : 1) {
            let found = try await docker("logs", container).split(separator: "\n").compactMap { line in
                try? JSONDecoder().decode(Line.self, from: Data(line.utf8))
            }.filter(isWanted)
            if !found.isEmpty { return found }
            if due { try await Task.sleep(for: .milliseconds(100)) }
        }
        return []
    }

    /// Runs a program to its end, whatever that is; after `timeLimit` it is ended.
    nonisolated func run(
        _ line: [String],
        environment: [String: String]? = nil,
        input: String = "",
        in workingFolder: String? = nil,
        timeLimit: Duration = .seconds(120)
    ) async throws -> Run {
        Run(
            try await Program(
                line[0],
                Array(line.dropFirst()),
                environment: environment ?? self.environment,
                workingFolder: workingFolder ?? folder,
                input: Array(input.utf8),
                timeLimit: timeLimit
            ).run()
        )
    }

    /// The executable under test: `BOTTLE_EXECUTABLE`, else the debug build of this checkout.
    nonisolated var executable: String { Self.executableUnderTest }

    /// The checkout.
    static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
        .joined(separator: "/")

    private static let executableUnderTest: String = {
        if let path = ProcessInfo.processInfo.environment["BOTTLE_EXECUTABLE"], !path.isEmpty { return path }
        return "\(root)/.build/debug/bottle"
    }()

    // MARK: - Files

    /// Writes a file below the fixture's folder; returns its path.
    @discardableResult
    nonisolated func write(_ text: String, to name: String) throws -> String {
        let path = "\(folder)/\(name)"
        try DurableFile.write(Array(text.utf8), to: path)
        return path
    }

    nonisolated func write(_ sample: SampleBottle) throws -> String {
        try write(sample.text, to: "\(sample.name).yaml")
    }

    // MARK: - The way back

    func remember(_ state: String) {
        if !stateFolders.contains(state) { stateFolders.append(state) }
    }

    private func tearDown() async {
        for state in stateFolders { await clear(state) }
        for step in undo.reversed() {
            do {
                try await step()
            } catch let error as EngineError where error.isNotFound {
                continue
            } catch {
                Issue.record("clean-up failed: \(error)")
            }
        }
        engine.close()
        do {
            try FileManager.default.removeItem(atPath: folder)
        } catch {
            Issue.record("clean-up failed: \(error)")
        }
    }

    /// Removes what is left of the bottles of a state folder, first as a user would.
    private func clear(_ state: String) async {
        guard let installation = try? installation(of: state) else { return }
        let here = ["BOTTLE_STATE_DIR": state]
        if let list = try? await bottle("get", "-o", "json", environment: here).document() {
            for item in list["items"].list {
                _ = try? await bottle("delete", item["identity"].text, "--yes", environment: here)
            }
        }
        let label = "dev.bottle.installation=\(installation)"
        do {
            for found in try await engine.containers(labels: [label], all: true) {
                try await engine.remove(found.id, force: true, volumes: true)
            }
            for found in try await engine.networks(labels: [label]) { try await engine.removeNetwork(found.id) }
            for found in try await engine.volumes(labels: [label]) { try await engine.removeVolume(found.name) }
        } catch {
            Issue.record("clean-up of \(state) failed: \(error)")
        }
    }

    /// The desired state's last commit.
    nonisolated func desiredHead(of state: String? = nil) throws -> String? {
        try DurableFile.read("\(state ?? self.state)/desired/.git/refs/heads/main", limit: 1024).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// The installation's id that the labels carry; nil when the folder was never made.
    nonisolated func installation(of state: String? = nil) throws -> String? {
        try DurableFile.read("\(state ?? self.state)/installation", limit: 1024).map {
            String(String(decoding: $0, as: UTF8.self).trimmingSuffix(while: \.isNewline))
        }
    }
}

extension String {
    func trimmingSuffix(while isEnd: (Character) -> Bool) -> Substring {
        self[..<(lastIndex { !isEnd($0) }.map { index(after: $0) } ?? startIndex)]
    }
}
