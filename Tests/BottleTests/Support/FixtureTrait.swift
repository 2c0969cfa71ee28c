import Testing

/// Gives a suite one fixture for all of its tests, with the shared bottle.
struct FixtureTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await BottleFixture.run { fixture in
            let shared = try await SharedBottle(in: fixture)
            try await SharedBottle.$inScope.withValue(shared) { try await function() }
        }
    }
}

/// A bottle with everything, used by one test after another.
///
/// Each begins with `settle`.
struct SharedBottle: Sendable {
    @TaskLocal static var inScope: SharedBottle?

    let fixture: BottleFixture
    let internet: Internet
    let sample: SampleBottle
    /// The credential that the egress-proxy adds.
    let token = "t0ken-\(UInt64.random(in: .min ... .max))"

    init(in fixture: BottleFixture) async throws {
        self.fixture = fixture
        internet = try await Internet.start(in: fixture)
        sample = SampleBottle(
            name: fixture.name(),
            agent: ["command: [sleep, infinity]", "prompt: {text: first}", "env: {COLOUR: red}"],
            allowlist: ["files.bt.test"],
            egress: internet.egress,
            routes: [
                "{host: api.bt.test, methods: [GET, HEAD], auth: {scheme: Bearer, token_ref: BT_TOKEN}, "
                    + "path_allowlist: [/repos/acme/]}",
                "{host: docs.bt.test}",
            ]
        )
    }

    static func current() throws -> SharedBottle { try #require(inScope) }

    var secrets: [String: String] { ["BT_TOKEN": token] }
    var agent: String { container("agent") }

    func container(_ role: String) -> String { "bottle-\(sample.name)-\(role)" }

    /// Brings the bottle back to what every test begins with.
    func settle(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await fixture.applied(sample, environment: secrets, sourceLocation: sourceLocation)
    }

    /// Applies a changed manifest; the test ends here when that fails.
    @discardableResult
    func applied(
        sourceLocation: SourceLocation = #_sourceLocation,
        _ change: (inout SampleBottle) -> Void
    ) async throws -> Run {
        try await fixture.applied(sample.with(change), environment: secrets, sourceLocation: sourceLocation)
    }

    /// Expects that another pass of the last applied manifest has nothing to do.
    func expectConverged(
        sourceLocation: SourceLocation = #_sourceLocation,
        _ change: (inout SampleBottle) -> Void = { _ in }
    ) async throws {
        let again = try await applied(sourceLocation: sourceLocation, change)
        #expect(try again.actions() == [], sourceLocation: sourceLocation)
    }
}
