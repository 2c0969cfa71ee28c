import ReconcilerEngine
import ReconcilerModel
import Synchronization

/// A call to the engine that ended.
package struct EngineCall: Sendable, Hashable {
    package let method: String
    /// The request's path and query, as sent.
    package let target: String
    /// The target without what tells one call from another, for statistics.
    package let endpoint: String
    /// The HTTP status; nil when no answer came.
    package let status: Int?
    package let duration: Duration

    init(_ call: EngineClient.Call) {
        method = call.method
        target = call.target
        endpoint = call.endpoint
        status = call.status
        duration = call.duration
    }
}

/// The connection to the engine: made on first use, then shared.
final class EngineConnection: Sendable {
    private let host: String?
    private let environment: [String: String]
    private let home: String
    private let onCall: @Sendable (EngineClient.Call) -> Void
    private let shared = Mutex<EngineClient?>(nil)

    init(
        host: String?,
        environment: [String: String],
        home: String,
        onCall: @escaping @Sendable (EngineClient.Call) -> Void
    ) {
        self.host = host
        self.environment = environment
        self.home = home
        self.onCall = onCall
    }

    /// Whether the engine can mount folders of this machine.
    var isLocal: Bool { get throws { try resolve().address.isLocal } }

    private func resolve() throws -> (address: EngineAddress, origin: String) {
        try EngineAddress.resolve(flag: host, environment: environment, home: home)
    }

    /// - Throws: as `connect`.
    func client() async throws -> EngineClient {
        if let client = shared.withLock({ $0 }) { return client }
        let made = try await connect(onCall: onCall)
        let kept = shared.withLock { client in
            let kept = client ?? made
            client = kept
            return kept
        }
        // Another caller was faster.
        if kept !== made { made.close() }
        return kept
    }

    func close() { shared.withLock { $0.take()?.close() } }

    /// Makes a connection of its own.
    ///
    /// - Throws: `BottleError` `engine-address`, `engine-unreachable`.
    func connect(onCall: @escaping @Sendable (EngineClient.Call) -> Void) async throws -> EngineClient {
        let found: (address: EngineAddress, origin: String)
        do {
            found = try resolve()
        } catch {
            throw BottleError(
                .engineAddress,
                "the engine's address can't be used",
                remedy: "set DOCKER_HOST or --host to unix:///path or tcp://host:port",
                cause: "\(error)"
            )
        }
        do {
            return try await EngineClient.connect(to: found.address, onCall: onCall)
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
}
