import EngineTestSupport
import FoundationEssentials
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import Testing

/// A bottle that is recorded and not desired, or of which there is neither record nor description.
@Suite("What is left of a bottle")
struct OrphanTests {
    /// A container that says it is the bottle's agent, and is in no record.
    private func addForged(_ fixture: LoopFixture) async throws {
        let labels = Labels.of(
            SampleManifest.identity,
            role: "agent",
            installation: try await fixture.installation().state.installation
        )
        try await fixture.engine.change { world in
            _ = try world.createContainer(
                name: "forged",
                ContainerCreate(config: ContainerConfig(image: SampleEngine.base, labels: labels))
            )
        }
    }

    private func names(_ world: EngineState) -> [String] {
        (world.containers.values.map(\.name)
            + world.networks.values.filter { !$0.isPredefined }.map(\.summary.name)
            + world.volumes.values.map(\.summary.name)).sorted()
    }

    private func settled(_ pass: BottlePass) async throws -> String {
        switch try await pass.reconcile(mayEndAgent: true, secrets: .asNeeded) {
        case .passed(let result, _): result.outcome.word
        case .removed(let isComplete): isComplete ? "removed" : "not removed"
        }
    }

    @Test("goes when a commit deleted it, and nothing with it that merely says it is its")
    func deleted() async throws {
        let fixture = try await LoopFixture.converged()
        await fixture.engine.watch { _ in [] }
        try await addForged(fixture)
        // A delete that was killed after its commit.
        try await fixture.uncommit()
        let pass = try await fixture.pass().runIfDesired(mayEndAgent: true, secrets: .asNeeded)
        #expect(pass.map(\.outcome.word) == nil)
        #expect(names(await fixture.engine.world).count > 1, "so far nothing was done")
        #expect(try await settled(fixture.pass()) == "removed")
        #expect(names(await fixture.engine.world) == ["forged"])
        #expect(try await fixture.record() == nil)
        #expect(try await settled(fixture.pass()) == "removed")
        #expect(names(await fixture.engine.world) == ["forged"])
    }

    @Test("stays when no revision ever had it: the bottle is stalled, and nothing is touched")
    func lost() async throws {
        let fixture = try await LoopFixture.converged()
        let before = WorldText.lines(await fixture.engine.world)
        // Another history takes the place of the one that had the bottle.
        let line = """
            export GIT_AUTHOR_NAME=o GIT_AUTHOR_EMAIL=o@bt.test GIT_COMMITTER_NAME=o GIT_COMMITTER_EMAIL=o@bt.test
            git reset -q --hard $(git commit-tree -m new $(git mktree </dev/null))
            """
        let lost = try await Program(
            "sh",
            ["-ec", line],
            environment: [
                "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": fixture.folder,
            ],
            workingFolder: "\(fixture.state)/desired",
            input: [],
            timeLimit: .seconds(30)
        ).run()
        #expect(lost.status == .exited(0))
        let faults = FaultInjector()
        let pass = try await fixture.pass(on: FaultyEngine(fixture.engine, faults: faults))
        let result = try await pass.runIfDesired(mayEndAgent: true, secrets: .asNeeded)
        guard case .stalled(let problem) = result?.outcome else {
            Issue.record("the pass ended as \(String(describing: result?.outcome))")
            return
        }
        #expect(problem.code == .notDeleted)
        #expect(try await settled(pass) == "stalled")
        #expect(await faults.mutations.isEmpty)
        #expect(WorldText.lines(await fixture.engine.world) == before)
        #expect(try await fixture.record() != nil)
        #expect(try await fixture.status()?[.ready]?.reason == "NotDeleted")
    }
}
