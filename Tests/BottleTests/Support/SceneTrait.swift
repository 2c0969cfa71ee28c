import Testing

/// Gives a suite one scene for all of its tests, with the shared bottle.
struct SceneTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await Scene.run { scene in
            let shared = try await SharedBottle(in: scene)
            try await SharedBottle.$inScope.withValue(shared) { try await function() }
        }
    }
}

/// A bottle with everything, used by one test after another.
///
/// Each begins with `settle`.
struct SharedBottle: Sendable {
    @TaskLocal static var inScope: SharedBottle?

    let scene: Scene
    let internet: Internet
    let sample: Sample
    /// The credential that the egress-proxy adds.
    let token = "t0ken-\(UInt64.random(in: .min ... .max))"

    init(in scene: Scene) async throws {
        self.scene = scene
        internet = try await Internet.start(in: scene)
        sample = Sample(
            name: scene.name(),
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
        try await scene.applied(sample, environment: secrets, sourceLocation: sourceLocation)
    }

    /// Applies a changed manifest; the test ends here when that fails.
    @discardableResult
    func applied(
        sourceLocation: SourceLocation = #_sourceLocation,
        _ change: (inout Sample) -> Void
    ) async throws -> Run {
        try await scene.applied(sample.with(change), environment: secrets, sourceLocation: sourceLocation)
    }

    /// Expects that another pass of the last applied manifest has nothing to do.
    func expectConverged(
        sourceLocation: SourceLocation = #_sourceLocation,
        _ change: (inout Sample) -> Void = { _ in }
    ) async throws {
        let again = try await applied(sourceLocation: sourceLocation, change)
        #expect(try again.actions() == [], sourceLocation: sourceLocation)
    }
}
