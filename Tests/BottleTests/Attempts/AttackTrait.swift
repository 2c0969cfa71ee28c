import ReconcilerVerify
import Testing

/// Gives a suite the bottles under attack.
struct AttackTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await BottleFixture.run { fixture in
            let fields = AttackFields(in: fixture)
            try await AttackFields.$inScope.withValue(fields) { try await function() }
            await fields.end()
        }
    }
}

/// Bottles under attack, each brought up when a test first asks for it.
actor AttackFields {
    enum Kind: String {
        /// With routes, and a firewall behind them.
        case routed
        /// Without routes.
        case bare
        /// Like `routed`, with an egress-proxy that is no wall.
        case naive
        /// With routes, and no firewall: the egress-proxy itself is on the network out.
        case lone

        /// Those on which all attempts are made.
        static let attacked = [Kind.routed, .bare, .naive]
    }

    @TaskLocal static var inScope: AttackFields?

    private let fixture: BottleFixture
    private var executable: Task<AttemptExecutable, any Error>?
    private var fields: [Kind: Task<AttackField, any Error>] = [:]
    private var runs: [Kind: Task<AttackRun, any Error>] = [:]

    init(in fixture: BottleFixture) { self.fixture = fixture }

    static func current() throws -> AttackFields { try #require(inScope) }

    func field(_ kind: Kind) async throws -> AttackField { try await task(kind).value }

    /// What came of all attempts on it; the others begin at the same time.
    func run(_ kind: Kind) async throws -> AttackRun {
        for kind in Kind.attacked where runs[kind] == nil {
            let field = task(kind)
            runs[kind] = Task {
                var limits = AttemptDriver.Limits()
                // On what is no wall much hangs, and how long does not matter.
                if kind == .naive { limits.receive = 2_000 }
                return try await AttackRun(try AttemptCorpus.load().attempts, on: try await field.value, limits: limits)
            }
        }
        return try await runs[kind, default: Task { throw CancellationError() }].value
    }

    /// Waits until nothing is under way any more.
    func end() async {
        for run in runs.values { _ = await run.result }
        for field in fields.values { _ = await field.result }
        _ = await executable?.result
    }

    private func task(_ kind: Kind) -> Task<AttackField, any Error> {
        if let field = fields[kind] { return field }
        let fixture = fixture
        let program = executable ?? Task { try await AttemptExecutable(in: fixture) }
        executable = program
        let field = Task {
            try await AttackField.start(
                kind.rawValue,
                in: fixture,
                face: kind == .bare ? .firewall : .egressProxy,
                hasFirewall: kind != .lone,
                images: kind == .naive ? ["egress-proxy": try await NaiveProxy.build(in: fixture)] : [:],
                executable: try await program.value
            )
        }
        fields[kind] = field
        return field
    }
}
