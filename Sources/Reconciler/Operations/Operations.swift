import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerManifest
package import ReconcilerModel
package import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime

/// The use cases of one installation, for every front end.
///
/// A change is prepared, shown by the front end, and carried out as it was shown; everything else only reads. Nothing
/// here prints or asks. The engine is reached and the rooms below are opened when a use case needs them.
package struct Operations: Sendable {
    /// How a front end hears what passes do.
    package typealias Progress = @Sendable (Identity, PassProgress) -> Void

    package let environment: [String: String]
    package let paths: Paths
    let connection: EngineConnection

    /// - Parameters:
    ///   - host: the engine's address, which goes before every other source of it.
    ///   - onCall: gets each call to the engine once it ended.
    /// - Throws: `BottleError` `no-home`.
    package init(
        environment: [String: String],
        workingFolder: String,
        host: String? = nil,
        onCall: @escaping @Sendable (EngineCall) -> Void = { _ in }
    ) throws {
        let userHome = Paths.userHome()
        guard let paths = Paths(environment: environment, workingFolder: workingFolder, userHome: userHome) else {
            throw BottleError(.noHome, "no place for bottle's state", remedy: "set HOME or BOTTLE_STATE_DIR")
        }
        self.environment = environment
        self.paths = paths
        connection = EngineConnection(host: host, environment: environment, home: paths.home ?? "/") {
            onCall(EngineCall($0))
        }
    }

    /// Ends the connections to the engine; a later use case reaches it again.
    package func close() { connection.close() }

    static func moment() -> Timestamp { TimeSource.system.now() }

    /// The moment that lies `span` back.
    static func ago(_ span: Duration) -> Timestamp {
        Timestamp(seconds: Int64(Date().timeIntervalSince1970 - span / .seconds(1)))
    }

    /// Any error as one that a person can act on.
    package static func explain(_ error: any Error) -> BottleError { BottleError(wrapping: error) }

    // MARK: - Settings

    /// The operator's settings; the defaults where there is no file.
    ///
    /// - Throws: `BottleError` `settings-unreadable`, `InvalidManifest`.
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

    /// The engine, for looking only.
    func reading() async throws -> any EngineReading { try await connection.client() }

    /// The version of the engine and of its API; nil when none answers.
    package func engineVersion() async -> (version: String, api: String)? {
        guard let found = try? await reading().version() else { return nil }
        return (found.version, "\(found.apiVersion)")
    }

    // MARK: - The state folder

    /// The state folder; nil when nothing was ever applied.
    func state() throws -> StateFolder? { try StateFolder.open(paths.state) }

    /// The desired-state repository; nil when nothing was ever applied.
    func repository() throws -> DesiredRepository? {
        try state().flatMap { try DesiredRepository.open(in: $0, environment: environment) }
    }

    /// Everything that is desired; nil when nothing was ever applied.
    func snapshot() async throws -> DesiredSnapshot? { try await repository()?.snapshot() }

    /// What is desired of a bottle now, its remediations applied.
    ///
    /// - Throws: `BottleError` `not-found` when it is not desired, `desired-unreadable`, `remediation-unreadable`.
    func desired(of identity: Identity) async throws -> DesiredState {
        guard let state = try await snapshot()?.desired(of: identity, at: Self.moment()) else {
            throw BottleError.missing(identity)
        }
        return state
    }

    /// Opens all that a pass needs; makes the state folder and its repository when they are missing.
    ///
    /// - Parameter client: nil: the shared connection.
    func installation(client: EngineClient? = nil) async throws -> Installation {
        let engine = if let client { client } else { try await connection.client() }
        let state = try StateFolder.create(paths.state)
        let settings = try settings()
        return Installation(
            state: state,
            repository: try await DesiredRepository.create(in: state, environment: environment),
            settings: settings,
            engine: engine,
            contexts: try buildContexts(state),
            credentials: try credentials(state: state, settings: settings),
            isEngineLocal: try connection.isLocal
        )
    }

    /// The build contexts that come with the program, and the stored ones.
    func buildContexts(_ state: StateFolder?) throws -> BuildContexts {
        let bundled = try? BundledImages.find(environment: environment)
        return BuildContexts(bundled: try bundled?.contexts() ?? [:], stored: state?.contexts)
    }
}
