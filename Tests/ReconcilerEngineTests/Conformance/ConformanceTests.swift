import EngineTestSupport
import ReconcilerEngine
import Testing

/// Something that the reconciler relies on an engine to do, or must know that it does.
struct Scenario: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let play: @Sendable (ConformanceFixture) async throws -> Void

    init(_ testDescription: String, _ play: @escaping @Sendable (ConformanceFixture) async throws -> Void) {
        self.testDescription = testDescription
        self.play = play
    }

    static let all = networks + addresses + processes + files + objects + told

    /// What the containers of the scenarios do.
    static let behaviours: [ContainerBehaviour] = [
        .sleeps, .ends(code: 3), .endsOnTerm(code: 7), .says(output: "out", errors: "err"), .runsOutOfMemory,
        .reloads(path: "/etc/loop/file"),
    ]
}

@Suite("One suite for both engines")
struct ConformanceTests {
    @Test("in memory", arguments: Scenario.all)
    func memory(_ scenario: Scenario) async throws {
        try await ConformanceFixture.play(scenario, on: ConformanceFixture.memory(), place: 1)
    }

    @Test("in memory, behind an injector that injects nothing", arguments: Scenario.all)
    func faultless(_ scenario: Scenario) async throws {
        try await ConformanceFixture.play(scenario, on: FaultyEngine(ConformanceFixture.memory()), place: 1)
    }

    @Test("on a real engine", .enabled { await RealEngine.isWanted() }, arguments: Array(Scenario.all.enumerated()))
    func real(_ index: Int, _ scenario: Scenario) async throws {
        let engine = try await RealEngine.connect()
        defer { engine.close() }
        try await ConformanceFixture.play(scenario, on: engine, place: 10 + index)
    }
}
