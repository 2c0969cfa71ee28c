import FoundationEssentials
import ReconcilerEngine
import Testing

/// The Docker engine that this machine has for tests.
enum TestEngine {
    /// Whether to run the tests: always where an engine is required, so that its absence fails; else when one answers.
    static func isWanted() async -> Bool {
        if ProcessInfo.processInfo.environment["BOTTLE_TEST_ENGINE"] == "required" { return true }
        guard let engine = try? await connect() else { return false }
        engine.close()
        return true
    }

    static func connect() async throws -> EngineClient {
        let environment = ProcessInfo.processInfo.environment
        let address = try EngineAddress.resolve(flag: nil, environment: environment, home: environment["HOME"] ?? "/")
            .address
        return try await EngineClient.connect(to: address, timeout: .seconds(30))
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips where no engine answers, unless one is required.
    static var needsEngine: Self { .enabled("no engine answers") { await TestEngine.isWanted() } }
}
