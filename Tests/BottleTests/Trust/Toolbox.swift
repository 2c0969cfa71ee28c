import Reconciler
import ReconcilerPlatform
import Testing

/// A bottle whose agent has a program of every family in it, used by one test after another.
struct Toolbox: Sendable {
    @TaskLocal static var inScope: Toolbox?

    /// Kept in the engine when the tests are over: it takes most of a minute to build, and nothing while it is there.
    static let image = "bottle-test/toolbox"

    let registries: Registries
    /// The credential that the egress-proxy adds to every request.
    let token: String
    private let fixture: BottleFixture
    private let agent: String

    init(in fixture: BottleFixture) async throws {
        self.fixture = fixture
        token = "t0ken-\(UInt64.random(in: .min ... .max))"
        try await Self.build(in: fixture)
        registries = try await Registries.start(in: fixture)
        let sample = SampleBottle(
            name: fixture.name(),
            image: Self.image,
            agent: ["command: [sleep, infinity]", "env:"] + Self.settings.map { "  \($0): \($1)" }.sorted(),
            egress: [
                "network: \(registries.network)", "private: [\(registries.subnet)]",
                "trust: [\(registries.authority)]",
            ],
            routes: [
                "{host: \(Registries.host), methods: [GET, HEAD], auth: {scheme: Bearer, token_ref: BT_TOKEN}}"
            ]
        )
        agent = "bottle-\(sample.name)-agent"
        try await fixture.applied(sample, environment: ["BT_TOKEN": token])
    }

    static func current() throws -> Toolbox { try #require(inScope) }

    /// What docs/trust.md tells a user to set in a manifest's `env`, each for the programs that need it.
    static let settings = [
        "JAVA_TOOL_OPTIONS": "-Djavax.net.ssl.trustStore=/etc/bottle/ca-bundle.jks "
            + "-Dhttps.proxyHost=egress-proxy -Dhttps.proxyPort=9099 "
            + "-Dhttp.proxyHost=egress-proxy -Dhttp.proxyPort=9099 "
            + "-Dhttp.nonProxyHosts=localhost|127.0.0.1|git-gate|supervise",
        "NODE_OPTIONS": "--require=/opt/env-proxy.cjs",
    ]

    /// Runs a shell script in the agent, as its user, in an empty home folder, with `$URL` leading to the registries.
    ///
    /// - Parameters:
    ///   - mark: what the path of every request then begins with.
    ///   - variables: those that it runs without.
    func run(_ script: String, mark: String, without variables: [String]) async throws -> Run {
        let begin = "export HOME=$(mktemp -d) URL=https://\(Registries.host)/\(mark) MARK=\(mark); cd\n"
        return try await fixture.run(
            ["docker", "exec", agent, "env"] + variables.flatMap { ["-u", $0] }
                + ["timeout", "60", "sh", "-ec", begin + script]
        )
    }

    func mark() -> String { fixture.name() }

    /// Builds the image; the engine's cache has it where nothing changed since.
    private static func build(in fixture: BottleFixture) async throws {
        let tests = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        let folder = (tests + ["Toolbox"]).joined(separator: "/")
        let before = try await fixture.run(["docker", "image", "inspect", "-f", "{{.Id}}", image]).output
        let built = Run(
            try await Program(
                "docker",
                ["build", "-q", "-t", image, folder],
                environment: fixture.environment.merging(["DOCKER_BUILDKIT": "0"]) { $1 },
                timeLimit: .seconds(900)
            ).run()
        )
        try #require(built.status == 0, "\(built)")
        // One that this took the place of; it stays where another run still uses it.
        if !before.isEmpty, before != built.output {
            _ = try await fixture.run(["docker", "image", "rm", String(before.trimmingSuffix(while: \.isNewline))])
        }
    }
}

/// Gives a suite one toolbox for all of its tests.
struct ToolboxTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await BottleFixture.run { fixture in
            let toolbox = try await Toolbox(in: fixture)
            try await Toolbox.$inScope.withValue(toolbox) { try await function() }
        }
    }
}
