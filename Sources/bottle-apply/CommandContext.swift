import ArgumentParser
import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime
import ReconcilerTrust

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What a command works with: its surroundings, and the rooms opened as it needs them.
struct CommandContext: Sendable {
    let environment: [String: String]
    let workingFolder: String
    let console: Console
    let paths: Paths
    let format: OutputFormat
    let isVerbose: Bool
    let host: String?

    init(format: OutputFormat, isVerbose: Bool, host: String?) throws {
        environment = ProcessInfo.processInfo.environment
        workingFolder = FileManager.default.currentDirectoryPath
        console = Console(terminal: Terminal.current(environment: environment))
        let userHome = Paths.userHome()
        guard let paths = Paths(environment: environment, workingFolder: workingFolder, userHome: userHome) else {
            throw BottleError(.noHome, "no place for bottle's state", remedy: "set HOME or BOTTLE_STATE_DIR")
        }
        self.paths = paths
        self.format = format
        self.isVerbose = isVerbose
        self.host = host
    }

    /// The time of day.
    static func now() -> Timestamp { TimeSource.system.now() }

    // MARK: - Results

    /// Prints the result: the document for programs, the text for people.
    func show(_ document: some Encodable, text: () -> String) throws {
        console.out(format.isDocument ? try format.text(of: document) : text())
    }

    // MARK: - Settings and manifests

    /// The operator's settings; the defaults where there is no file.
    func settings() throws -> Settings {
        let bytes: [UInt8]?
        do {
            bytes = try DurableFile.read(paths.settings, limit: 1 << 20)
        } catch {
            throw BottleError(
                .settingsUnreadable,
                "the settings can't be read",
                at: paths.settings,
                remedy: "mend the file or its permissions",
                cause: "\(error)"
            )
        }
        guard let bytes else { return Settings() }
        let reading = SettingsReader.read(name: paths.settings, bytes: bytes)
        guard !reading.diagnostics.contains(where: { $0.severity == .error }) else {
            throw InvalidManifest(diagnostics: reading.diagnostics)
        }
        return reading.settings
    }

    // MARK: - The engine

    /// Where the engine is, and who says so.
    func engineAddress() throws -> (address: EngineAddress, origin: String) {
        try EngineAddress.resolve(flag: host, environment: environment, home: paths.home ?? "/")
    }

    /// Reaches the engine.
    ///
    /// - Parameter onCall: gets each call once it ended; by default those who asked for it see them.
    /// - Throws: `BottleError` `engine-unreachable`.
    func engine(onCall: (@Sendable (EngineClient.Call) -> Void)? = nil) async throws -> EngineClient {
        let found: (address: EngineAddress, origin: String)
        do {
            found = try engineAddress()
        } catch {
            throw BottleError(
                .engineAddress,
                "the engine's address can't be used",
                remedy: "set DOCKER_HOST or --host to unix:///path or tcp://host:port",
                cause: "\(error)"
            )
        }
        do {
            return try await EngineClient.connect(to: found.address, onCall: onCall ?? show)
        } catch {
            throw BottleError(
                .engineUnreachable,
                "no Docker engine answers",
                at: "\(found.address) (from \(found.origin))",
                remedy: "start Docker, or set DOCKER_HOST or --host to one that runs",
                cause: "\(error)"
            )
        }
    }

    /// Shows a call to the engine to those who asked to see them.
    func show(_ call: EngineClient.Call) {
        guard isVerbose else { return }
        let status = call.status.map(String.init) ?? "–"
        let spent = call.duration / .milliseconds(1)
        let ms = (spent * 10).rounded() / 10
        console.err("engine: \(call.method) \(VisibleText.line(call.target, limit: 300)) \(status) \(ms) ms")
    }

    // MARK: - The installation

    /// Opens the state folder and what a pass needs, making the folder when it is missing.
    func installation(engine: EngineClient) async throws -> Installation {
        let state = try StateFolder.create(paths.state)
        let settings = try settings()
        return Installation(
            state: state,
            repository: try await DesiredRepository.create(in: state, environment: environment),
            settings: settings,
            engine: engine,
            contexts: try buildContexts(state),
            credentials: try credentials(state: state, settings: settings),
            isEngineLocal: try engineAddress().address.isLocal
        )
    }

    /// What of this machine supervise sidecars work on; nothing where the engine is on another one.
    func supervision(_ state: StateFolder?) throws -> @Sendable (Identity) -> Supervision? {
        guard try engineAddress().address.isLocal else { return { _ in nil } }
        let (state, path) = (state, paths.state)
        return { state?.supervision(of: $0) ?? StateFolder.supervision(of: $0, in: path) }
    }

    /// The build contexts that come with the program, and the stored ones.
    func buildContexts(_ state: StateFolder?) throws -> BuildContexts {
        let bundled = try? BundledImages.find(environment: environment)
        return BuildContexts(bundled: try bundled?.contexts() ?? [:], stored: state?.contexts)
    }

    /// Credentials for looking only: nothing is minted or made, no command is run, and a value that can't be had by
    /// looking is left out.
    func readingCredentials(state: StateFolder?, settings: Settings) throws -> Credentials {
        let sources = SecretSources(settings.secrets, environment: environment)
        let values: @Sendable ([SecretReference]) async throws -> [SecretReference: SecretValue] = {
            try await sources.attempt($0, runningCommands: false).values
        }
        guard let state else {
            return Credentials(values: values, fingerprint: { _, _ in "" }, authority: { _, _ in nil })
        }
        var credentials = try credentials(state: state, settings: settings)
        credentials.values = values
        if try StateFiles(folder: state.trust).read("fingerprint.key") == nil {
            // Without a key no container can carry a fingerprint yet, so that nothing will be compared with this one.
            credentials.fingerprint = { _, _ in "" }
        }
        return credentials
    }

    /// Credentials of a process that lives long: what can be had by looking is looked at anew each time.
    func watchingCredentials(_ installation: Installation) throws -> Credentials {
        let sources = SecretSources(installation.settings.secrets, environment: environment)
        var credentials = installation.credentials
        credentials.values = { try await sources.resolve($0) }
        credentials.glance = { try await sources.attempt($0, runningCommands: false).values }
        return credentials
    }

    private func credentials(state: StateFolder, settings: Settings) throws -> Credentials {
        let files = StateFiles(folder: state.trust)
        let trust = TrustStore(files: files)
        let memory = SecretMemory()
        let sources = SecretSources(settings.secrets, environment: environment)
        return Credentials(
            values: { try await memory.values($0, from: sources) },
            fingerprint: { try KeyedFingerprint.load(from: files).fingerprint(of: $1, name: $0) },
            authority: { identity, minting in
                let found =
                    minting
                    ? try trust.ensureAuthority(for: identity, now: Date()) : try trust.authority(for: identity)
                return found.map { authority in
                    Credentials.Authority(
                        material: .init(certificate: authority.certificate, key: authority.privateKey.exposed),
                        fingerprint: authority.fingerprint
                    )
                }
            }
        )
    }
}

/// Options that every command has.
struct CommonOptions: ParsableArguments {
    @Option(name: .long, help: "The engine's address; default: DOCKER_HOST, the docker context, the usual sockets.")
    var host: String?

    @Option(name: .shortAndLong, help: "How results are shown: table, wide, json or yaml.")
    var output: OutputFormat = .table

    @Flag(name: .shortAndLong, help: "Show each call to the engine, and builds as they go.")
    var verbose = false

    /// Runs a command's body and turns what it throws into what a person or a program reads, and an exit status.
    func run(_ body: (CommandContext) async throws -> Void) async throws {
        InterruptHandler.install()
        let context: CommandContext
        do {
            context = try CommandContext(format: output, isVerbose: verbose, host: host)
        } catch {
            Console(terminal: .current(environment: [:])).err("\(error)")
            throw ExitStatus.failure
        }
        do {
            try await body(context)
        } catch let exit as ExitCode {
            throw exit
        } catch let invalid as InvalidManifest {
            context.report(invalid)
            throw ExitStatus.failure
        } catch {
            context.report(BottleError(wrapping: error))
            throw ExitStatus.failure
        }
    }
}

extension CommandContext {
    func report(_ error: BottleError) {
        if format.isDocument, let text = try? format.text(of: ErrorDocument(error)) {
            console.out(text)
        } else {
            console.err(error.text(Style(isOn: console.colorsErrors)))
        }
    }

    func report(_ invalid: InvalidManifest) {
        let printer = DiagnosticPrinter(isColored: console.colorsErrors)
        console.err(printer.text(invalid.diagnostics))
        guard format.isDocument else { return }
        let first = invalid.diagnostics.first { $0.severity == .error }
        let error = BottleError(
            .invalidManifest,
            first?.message ?? "the manifest is not valid",
            at: first?.location?.description,
            remedy: first?.suggestion
        )
        if let text = try? format.text(of: ErrorDocument(error)) { console.out(text) }
    }
}

/// Values found once in this process: a command that asks for a passphrase asks once.
private actor SecretMemory {
    private var known: [SecretReference: SecretValue] = [:]

    func values(
        _ references: [SecretReference],
        from sources: SecretSources
    ) async throws -> [SecretReference: SecretValue] {
        let missing = references.filter { known[$0] == nil }
        if !missing.isEmpty {
            known.merge(try await sources.resolve(missing)) { first, _ in first }
        }
        return known.filter { references.contains($0.key) }
    }
}
