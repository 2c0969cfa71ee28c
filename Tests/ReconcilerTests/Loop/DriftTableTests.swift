import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import Testing

@Suite("Every drift")
struct DriftTableTests {
    @Test("is planned for exactly, and healed with nothing else touched", arguments: DriftTable.rows)
    func heal(_ row: DriftRow) async throws {
        let fixture = try await LoopFixture.converged(row.manifest)
        let before = await fixture.engine.world
        await fixture.engine.watch { _ in [] }
        try await fixture.engine.change(row.damage)
        try await fixture.change(row.record)
        let damaged = await fixture.engine.world
        let credentials = SampleEngine.credentials(secret: row.secret)
        let plan = try await fixture.plan(credentials: credentials, reading: row.reading)
        #expect(plan.lines == row.plan)

        let faults = FaultInjector()
        let result = try await fixture.run(
            on: FaultyEngine(fixture.engine, faults: faults),
            credentials: credentials,
            reading: row.reading
        )
        #expect(result.drift == plan.drift)
        let after = await fixture.engine.world
        let isBlocked = plan.findings.contains { $0.blocks }
        if isBlocked {
            guard case .stalled = result.outcome else {
                Issue.record("the pass ended as \(result.outcome)")
                return
            }
            #expect(await faults.mutations.isEmpty)
        } else {
            guard case .converged = result.outcome else {
                Issue.record("the pass ended as \(result.outcome)")
                return
            }
            #expect((WorldText.lines(after) == WorldText.lines(before)) == row.isHealed)
            #expect(try await fixture.plan(credentials: credentials, reading: row.reading).isEmpty)
        }
        // What is put right in place ends nothing.
        let inPlace: Set<Verb> = [.update, .copy, .signal]
        let touched = Set(plan.actions.filter { !inPlace.contains($0.verb) }.map(\.object.description))
        for (id, container) in damaged.containers {
            let role = container.config.labels?[Labels.role] ?? container.name
            guard !touched.contains("container/\(role)") else { continue }
            #expect(after.containers[id]?.state.startedAt == container.state.startedAt, "\(role)")
            #expect(after.containers[id]?.state.status == container.state.status, "\(role)")
            #expect(after.containers[id]?.endpoints == container.endpoints, "\(role)")
        }
        for (id, network) in damaged.networks {
            let role = network.summary.labels[Labels.role] ?? network.summary.name
            guard !touched.contains("network/\(role)") else { continue }
            #expect(after.networks[id]?.summary == network.summary, "\(role)")
        }
    }
}
