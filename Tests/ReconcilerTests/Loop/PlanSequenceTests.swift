import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import Testing

/// Plans that follow from what earlier plans did, on the engine in memory.
@Suite("one plan after another")
struct PlanSequenceTests {
    @Test(
        "a second plan is empty",
        arguments: [SampleManifest.routed, SampleManifest.unrouted, SampleManifest.unwalled]
    )
    func secondPlan(_ manifest: BottleManifest) async throws {
        var fixture = try await PlanFixture.converged(manifest)
        #expect(try await fixture.plan().text == "")
    }

    /// A bottle whose agent is built from a folder of its user.
    private static func built(_ context: String, dockerfile: String = "Dockerfile") -> BuildSource {
        BuildSource(context: "/project", dockerfile: dockerfile, pinned: ContentDigest(of: context))
    }

    @Test(
        "an edited Dockerfile builds first and then replaces the living agent, which is told beforehand",
        arguments: [built("another"), built("one", dockerfile: "b/Dockerfile")]
    )
    func dockerfile(_ source: BuildSource) async throws {
        var fixture = try await PlanFixture.converged(
            SampleManifest.edited { $0.agent.image = .build(Self.built("one")) }
        )
        let before = try #require(await fixture.container(.agent)?.id)
        #expect(try await fixture.plan().text == "")
        fixture.edit { $0.agent.image = .build(source) }
        let first = try await fixture.plan()
        #expect(first.text == "0 build image/agent context-changed")
        #expect(first.replacesAgent)
        let plans = try await fixture.converge()
        try #require(plans.count == 2)
        #expect(plans[1].verbs == ["stop container/agent", "remove container/agent", "create container/agent"])
        #expect(plans[1].replacesAgent)
        #expect(await fixture.container(.agent)?.id != before)
    }

    @Test("another build context builds, and only then makes the container again")
    func contextChanged() async throws {
        var fixture = try await PlanFixture.converged(SampleManifest.routed)
        fixture.contexts[.egressProxy] = ContentDigest(of: "another")
        #expect(try await fixture.plan().text == "0 build image/egress-proxy context-changed")
        let plans = try await fixture.converge()
        try #require(plans.count == 2)
        #expect(plans[1].verbs == ["remove container/egress-proxy", "create container/egress-proxy"])
    }

    @Test(
        "nothing starts an agent again that ended, but an edit of it",
        arguments: [Damage.imageMoved(.agent), .networkGone(.internal), .edited(.agent), .limited(.agent)]
    )
    func endedStaysEnded(_ damage: Damage) async throws {
        var fixture = try await PlanFixture.converged(SampleManifest.routed)
        try await fixture.end(.agent, exitCode: 1)
        _ = try await fixture.converge()
        try #require(try await fixture.suffer(damage))
        let plans = try await fixture.converge()
        #expect(!plans.flatMap(\.actions).contains { $0.object == .container(.agent) && $0.verb != .disconnect })
        #expect(await fixture.container(.agent)?.state.status == "exited")
        fixture.edit { $0.agent.environment["TZ"] = .literal("CET") }
        _ = try await fixture.converge()
        #expect(await fixture.container(.agent)?.state.status == "running")
    }

    @Test("an ended agent whose container is removed stays ended, until it is edited or its policy is")
    func endedAndRemoved() async throws {
        var fixture = try await PlanFixture.converged(SampleManifest.routed)
        try await fixture.end(.agent, exitCode: 0)
        _ = try await fixture.converge()
        try #require(try await fixture.suffer(.removed(.agent)))
        #expect(try await fixture.plan().text == "finding agent-ended 0")
        fixture.edit { $0.agent.restart = .always }
        #expect(try await fixture.plan().verbs == ["create container/agent"])
    }

    @Test("a teardown leaves exactly what is not the bottle's")
    func teardown() async throws {
        var fixture = try await PlanFixture.converged(SampleManifest.routed)
        try await fixture.engine.change { world in
            let config = ContainerConfig(image: SampleEngine.base)
            _ = try world.createContainer(name: "bottle-dev-supervise", ContainerCreate(config: config))
        }
        try await fixture.tearDown()
        let world = await fixture.engine.world
        #expect(world.containers.values.map(\.name) == ["bottle-dev-supervise"])
        #expect(world.networks.values.filter { !$0.isPredefined }.map(\.summary.name) == ["corp"])
        #expect(world.volumes.isEmpty)
    }
}
