import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime
import Testing

/// Whole passes over a bottle with remediations.
@Suite("Remediations in the loop")
struct RemediationLoopTests {
    /// The moment of every pass of `LoopFixture`.
    private static let now = SampleManifest.known(try Timestamp("2026-01-01T00:00:00Z"))

    private func grant(
        _ change: RemediationChange,
        _ limits: GrantLimits? = nil,
        at moment: Timestamp = now,
        in fixture: LoopFixture
    ) async throws {
        let draft = RemediationDraft(change, limits: limits, reason: "because")
        _ = try await fixture.installation().repository.commit(
            remediation: draft,
            for: SampleManifest.identity,
            at: moment
        )
    }

    private func file(_ path: String, of container: String, in fixture: LoopFixture) async throws -> String {
        let world = await fixture.engine.world
        let line = WorldText.lines(world).first { $0.contains(path) && $0.contains(container) }
        return try #require(line)
    }

    @Test("An added host is opened at the firewall first, and nothing is recreated")
    func host() async throws {
        let fixture = try await LoopFixture.converged()
        try await grant(.hostAdded(SampleManifest.host("a.example")), in: fixture)
        let result = try await fixture.run()
        #expect(
            result.performed.map(\.action.text) == [
                "copy container/firewall file-changed /etc/firewall/allowlist",
                "signal container/firewall files-copied",
                "copy container/egress-proxy file-changed /etc/egress-proxy/routes.yaml",
                "signal container/egress-proxy files-copied",
            ]
        )
        #expect(result.remediations?.map(\.fit.word) == ["applied"])
        #expect(try await fixture.status()?[.remediationConflict]?.status == .false)
        #expect(try await fixture.run().performed.isEmpty)
    }

    @Test("One that no longer fits is a condition, the others apply, and an edit makes it fit again")
    func conflict() async throws {
        let fixture = try await LoopFixture.converged()
        var wider = SampleManifest.routed.routes[0]
        wider.methods = .only(["GET", "HEAD", "POST"])
        try await grant(.routeChanged(from: SampleManifest.routed.routes[0], to: wider), in: fixture)
        try await grant(.hostAdded(SampleManifest.host("a.example")), in: fixture)
        _ = try await fixture.run()
        try await fixture.commit(SampleManifest.edited { $0.routes.remove(at: 0) })
        let result = try await fixture.run()
        #expect(result.error == nil)
        #expect(result.remediations?.map(\.fit.word) == ["conflict", "applied"])
        let status = try #require(try await fixture.status())
        #expect(status[.remediationConflict]?.status == .true)
        #expect(status[.remediationConflict]?.message.contains("0001-change-route-api-example-com") == true)
        #expect(status[.ready]?.status == .true)
        try await fixture.commit(SampleManifest.routed)
        #expect(try await fixture.run().remediations?.map(\.fit.word) == ["applied", "applied"])
        #expect(try await fixture.status()?[.remediationConflict]?.status == .false)
    }

    @Test("A file that can't be read stalls the bottle and removes nothing")
    func unreadable() async throws {
        let fixture = try await LoopFixture.converged()
        let before = WorldText.lines(await fixture.engine.world)
        let path = "remediations/dev/0001-x.yaml"
        let repository = try await fixture.installation().repository
        _ = try await repository.commit([path: .write("nonsense: ]\n")], message: "by hand")
        let result = try await fixture.run()
        guard case .stalled(let error) = result.outcome else {
            Issue.record("\(result.outcome)")
            return
        }
        #expect(error.code == .remediationUnreadable && error.location?.hasPrefix("\(path):1:") == true)
        #expect(error.remedy != nil)
        #expect(result.performed.isEmpty)
        #expect(WorldText.lines(await fixture.engine.world) == before)
        #expect(try await fixture.status()?[.ready]?.reason == "RemediationUnreadable")
        _ = try await repository.commit([path: .remove], message: "mended")
        #expect(try await fixture.run().error == nil)
    }

    @Test("A limited one travels with its limits, and after its end contributes nothing")
    func limits() async throws {
        let fixture = try await LoopFixture.converged()
        let end = Timestamp(seconds: Self.now.seconds + 60)
        let limits = try GrantLimits(notAfter: end, maxUses: 3)
        try await grant(.hostAdded(SampleManifest.host("a.example")), limits, in: fixture)
        let before = try await file("routes.yaml", of: "egress-proxy", in: fixture)
        let result = try await fixture.run()
        #expect(result.untilNextEnd == .seconds(60))
        #expect(try await file("routes.yaml", of: "egress-proxy", in: fixture) != before)

        let installation = try await fixture.installation()
        let pass = BottlePass(
            SampleManifest.identity,
            in: installation,
            time: TimeSource(now: { Timestamp(seconds: LoopFixture.now.seconds + 60) }),
            report: { _, _ in }
        )
        let ended = try await pass.run(mayEndAgent: false)
        #expect(ended.error == nil)
        #expect(ended.remediations?.map(\.fit.word) == ["expired"])
        #expect(try await file("routes.yaml", of: "egress-proxy", in: fixture) == before)
    }

    @Test("A running controller withdraws by a commit what has ended")
    func withdrawal() async throws {
        let fixture = try await LoopFixture.converged()
        let end = Timestamp(seconds: Self.now.seconds - 60)
        let start = Timestamp(seconds: Self.now.seconds - 600)
        try await grant(
            .hostAdded(SampleManifest.host("a.example")),
            try GrantLimits(notAfter: end),
            at: start,
            in: fixture
        )
        let installation = try await fixture.installation()
        let controller = Controller(
            installation,
            pace: ControllerPace(),
            time: TimeSource(now: { LoopFixture.now }),
            report: { _ in }
        )
        try await controller.whileRunning {
            let path = "remediations/dev/0001-add-host-a-example.yaml"
            try await eventually("it is withdrawn") {
                try await installation.repository.snapshot().others[path] == nil
            }
            let record = try DurableFile.read("\(fixture.state)/audit.jsonl", limit: 1 << 20).map {
                String(decoding: $0, as: UTF8.self)
            }
            #expect(
                record?.split(separator: "\n").contains { $0.contains("\"revoke\"") && $0.contains("0001") } == true
            )
        }
    }
}
