import ReconcilerVerify
import Testing

/// Gives a suite the bottles under attack.
struct AttackTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await Scene.run { scene in
            let fields = AttackFields(in: scene)
            try await AttackFields.$inScope.withValue(fields) { try await function() }
        }
    }
}

/// Bottles under attack, each brought up when a test first asks for it.
actor AttackFields {
    @TaskLocal static var inScope: AttackFields?

    nonisolated let scene: Scene
    private var executable: Task<AttemptExecutable, any Error>?
    private var fields: [String: Task<AttackField, any Error>] = [:]

    init(in scene: Scene) { self.scene = scene }

    static func current() throws -> AttackFields { try #require(inScope) }

    /// The bottle with routes and a firewall behind them.
    func routed() async throws -> AttackField { try await field("routed", .egressProxy) { [:] } }

    /// The bottle without routes.
    func bare() async throws -> AttackField { try await field("bare", .firewall) { [:] } }

    func field(
        _ name: String,
        _ face: Attempt.Face,
        images: @escaping @Sendable () async throws -> [String: String]
    ) async throws -> AttackField {
        let scene = scene
        let program = executable ?? Task { try await AttemptExecutable(in: scene) }
        executable = program
        let field =
            fields[name]
            ?? Task {
                try await AttackField.start(
                    in: scene,
                    face: face,
                    images: try await images(),
                    executable: try await program.value
                )
            }
        fields[name] = field
        return try await field.value
    }
}
