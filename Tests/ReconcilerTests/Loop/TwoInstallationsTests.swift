import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import Testing

/// Two state folders, each of which has a bottle of the same name, on one engine.
@Suite("Two installations on one engine")
struct TwoInstallationsTests {
    private func settled(_ fixture: LoopFixture) async throws -> String {
        switch try await fixture.pass().reconcile(mayEndAgent: true, secrets: .asNeeded) {
        case .passed(let result, _): result.outcome.word
        case .removed(let isComplete): isComplete ? "removed" : "not removed"
        }
    }

    @Test("each refuse the other's objects of the same name, neither changes them nor takes them for an orphan's")
    func sameName() async throws {
        let one = try await LoopFixture.converged()
        let two = try await one.beside()
        for (owner, other) in [(one, two), (two, one)] {
            let before = WorldText.lines(await owner.engine.world)
            try await other.commit(SampleManifest.routed)
            let faults = FaultInjector()
            let refused = try await other.run(on: FaultyEngine(other.engine, faults: faults))
            #expect(refused.error?.code == .nameTaken, "\(refused.outcome)")
            #expect(await faults.mutations.isEmpty)
            // What the other's commit deletes is its own: nothing.
            try await other.uncommit()
            #expect(try await settled(other) == "removed")
            #expect(WorldText.lines(await owner.engine.world) == before)
            #expect(try await owner.plan().isEmpty)

            try await owner.uncommit()
            #expect(try await settled(owner) == "removed")
            try await other.commit(SampleManifest.routed)
            #expect(try await settled(other) == "converged")
        }
    }

    @Test("side by side have bottles of different names, and a pass of either plans nothing for the other's")
    func differentNames() async throws {
        let one = try await LoopFixture.converged()
        let two = try await one.beside()
        let identity = try Identity("other")
        try await two.commit(SampleManifest.edited { $0.identity = identity })
        guard case .converged = try await two.run(of: identity).outcome else {
            Issue.record("it did not converge")
            return
        }
        #expect(try await one.plan().isEmpty)
        try await two.engine.change { try $0.remove("bottle-dev-firewall", force: true) }
        #expect(try await two.plan(of: identity).isEmpty)
        #expect(try await one.run().performed.map(\.action.text) == ["create container/firewall missing"])
        #expect(try await two.run(of: identity).performed.isEmpty)
    }
}
