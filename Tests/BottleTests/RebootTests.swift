import ReconcilerEngine
import Testing

/// What changes for all of a bottle's containers at once, or for the images that they come from.
@Suite("A bottle whose machine was rebooted or whose images moved", .serialized, .needsEngine)
struct RebootTests {
    /// What becomes of the agent when everything stopped.
    struct Reboot: Sendable, CustomTestStringConvertible {
        let restart: String
        let agent: [String]
        let state: String

        var testDescription: String { "restart \(restart)" }

        static let all = [
            Reboot(restart: "never", agent: [], state: "exited"),
            Reboot(restart: "on-failure", agent: ["start container/agent"], state: "running"),
            Reboot(restart: "always", agent: ["start container/agent"], state: "running"),
        ]
    }

    @Test("has its sidecars started, and its agent as its restart policy says", arguments: Reboot.all)
    func stopped(_ reboot: Reboot) async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle(
                name: fixture.name(),
                agent: ["command: [sleep, infinity]", "restart: \(reboot.restart)"],
                routes: ["{host: api.bt.test}"]
            )
            try await fixture.applied(sample)
            let before = try await fixture.snapshot()
            let names = ["agent", "egress-proxy", "firewall"].map { "bottle-\(sample.name)-\($0)" }
            // As the end of a machine does: without a word.
            let killed = try await fixture.run(["docker", "kill"] + names)
            try #require(killed.status == 0, "\(killed)")

            let healing = try await fixture.applied(sample)
            #expect(
                try healing.actions() == ["start container/firewall", "start container/egress-proxy"] + reboot.agent
            )
            let drift = try healing.document()["bottles"][0]["drift"].list
            #expect(
                drift.map { "\($0["kind"].text) \($0["object"].text)" }
                    == ["stopped container/firewall", "stopped container/egress-proxy"]
            )
            let after = try await fixture.snapshot()
            #expect(after.containers.mapValues(\.id) == before.containers.mapValues(\.id))
            #expect(after.containers[names[0]]?.state == reboot.state)
            #expect(after.networks == before.networks)
            #expect(after.volumes == before.volumes)
            #expect(try await fixture.applied(sample).actions() == [])
        }
    }

    @Test("gets a sidecar from the image that its name stands for now, and keeps its agent")
    func movedImage() async throws {
        try await BottleFixture.run { fixture in
            let image = try await fixture.image("FROM bottle/firewall\nLABEL mark=one\n")
            try fixture.write(fixture.settings + "images: {firewall: \(image)}\n", to: "config/bottle/config.yaml")
            let sample = SampleBottle(name: fixture.name())
            try await fixture.applied(sample)
            let before = try await fixture.snapshot()
            _ = try await fixture.image("FROM bottle/firewall\nLABEL mark=two\n", as: image)

            let healing = try await fixture.applied(sample)
            #expect(try healing.actions() == ["remove container/firewall", "create container/firewall"])
            let drift = try healing.document()["bottles"][0]["drift"].list
            #expect(drift.map { "\($0["kind"].text) \($0["object"].text)" } == ["image-changed container/firewall"])
            let firewall = "bottle-\(sample.name)-firewall"
            #expect(try await fixture.docker("inspect", "-f", "{{.Config.Labels.mark}}", firewall) == "two")
            let after = try await fixture.snapshot()
            #expect(before.changed(in: after) == [firewall])
            #expect(after.networks == before.networks)
            #expect(after.volumes == before.volumes)
            #expect(try await fixture.applied(sample).actions() == [])
        }
    }
}
