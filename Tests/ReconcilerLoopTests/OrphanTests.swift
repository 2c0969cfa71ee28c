import EngineTestSupport
import FoundationEssentials
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
    private func addForged(_ bed: LoopBed) async throws {
        let labels = Labels.of(
            Sample.identity,
            role: "agent",
            installation: try await bed.installation().state.installation
        )
        try await bed.engine.change { world in
            _ = try world.createContainer(
                name: "forged",
                ContainerCreate(config: ContainerConfig(image: Sample.base, labels: labels))
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
        let bed = try await LoopBed.converged()
        await bed.engine.watch { _ in [] }
        try await addForged(bed)
        // A delete that was killed after its commit.
        try await bed.uncommit()
        let pass = try await bed.pass().runIfDesired(mayEndAgent: true, secrets: .asNeeded)
        #expect(pass.map(\.outcome.word) == nil)
        #expect(names(await bed.engine.world).count > 1, "so far nothing was done")
        #expect(try await settled(bed.pass()) == "removed")
        #expect(names(await bed.engine.world) == ["forged"])
        #expect(try await bed.record() == nil)
        #expect(try await settled(bed.pass()) == "removed")
        #expect(names(await bed.engine.world) == ["forged"])
    }

    @Test("stays when no revision ever had it: the bottle is stalled, and nothing is touched")
    func lost() async throws {
        let bed = try await LoopBed.converged()
        let before = WorldText.lines(await bed.engine.world)
        // Another history takes the place of the one that had the bottle.
        let line = """
            export GIT_AUTHOR_NAME=o GIT_AUTHOR_EMAIL=o@bt.test GIT_COMMITTER_NAME=o GIT_COMMITTER_EMAIL=o@bt.test
            git reset -q --hard $(git commit-tree -m new $(git mktree </dev/null))
            """
        let lost = try await Program(
            "sh",
            ["-ec", line],
            environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": bed.folder],
            workingFolder: "\(bed.state)/desired",
            input: [],
            timeLimit: .seconds(30)
        ).run()
        #expect(lost.status == .exited(0))
        let faults = FaultInjector()
        let pass = try await bed.pass(on: FaultyEngine(bed.engine, faults: faults))
        let result = try await pass.runIfDesired(mayEndAgent: true, secrets: .asNeeded)
        guard case .stalled(let problem) = result?.outcome else {
            Issue.record("the pass ended as \(String(describing: result?.outcome))")
            return
        }
        #expect(problem.code == .notDeleted)
        #expect(try await settled(pass) == "stalled")
        #expect(await faults.mutations.isEmpty)
        #expect(WorldText.lines(await bed.engine.world) == before)
        #expect(try await bed.record() != nil)
        #expect(try await bed.status()?[.ready]?.reason == "NotDeleted")
    }
}
