import ModelTestSupport
import ReconcilerModel
import Testing

/// What the planner never touches.
@Suite("what the planner leaves alone")
struct PlannerGuardTests {
    private static let ours = Labels.of(
        SampleManifest.identity,
        role: "firewall",
        installation: SampleManifest.installation
    )
    private static let others = Labels.of(
        SampleManifest.identity,
        role: "firewall",
        installation: SampleManifest.otherInstallation
    )

    private func blocked(_ prepare: (inout PlannerFixture) -> Void) throws -> Plan {
        var fixture = try PlannerFixture.converged(SampleManifest.routed)
        fixture.edit { $0.egress.allowlist = [] }
        prepare(&fixture)
        return try fixture.plan()
    }

    @Test(
        "a container that isn't ours under our name blocks every action",
        arguments: [
            ([:], ", which carries no label of bottle"),
            (others, " of another installation of bottle (inst2)"),
            (ours, ", which carries our labels but is in no record of this state folder"),
        ]
    )
    func foreignContainer(_ labels: [String: String], _ words: String) throws {
        let name = "bottle-dev-firewall"
        let plan = try blocked { fixture in
            fixture.containers.removeAll { $0.name == name }
            fixture.containers.append(
                ObservedContainer(id: "0123456789abcdef", name: name, labels: labels)
            )
            fixture.record.names.removeAll { $0 == name }
        }
        #expect(plan.isEmpty)
        #expect(
            plan.findings == [
                .nameTaken(
                    object: .container(.firewall),
                    name: name,
                    holder: "container 0123456789ab\(words)"
                )
            ]
        )
    }

    @Test("a network or a volume that isn't ours under our name blocks every action")
    func foreignNetworkAndVolume() throws {
        let plan = try blocked { fixture in
            fixture.networks.append(ObservedNetwork(id: "n-other", name: "bottle-dev-link"))
            fixture.volumes.removeAll { $0.name == "bottle-dev-home" }
            fixture.volumes.append(ObservedVolume(name: "bottle-dev-home"))
        }
        #expect(plan.isEmpty)
        #expect(plan.findings.count == 2)
        #expect(plan.findings.filter(\.blocks).count == 2)
    }

    @Test("an image that carries one of our labels blocks every action")
    func forgedImage() throws {
        let reference = SampleManifest.image(.agent).reference
        let plan = try blocked { $0.images[reference]?.labels["dev.bottle.role"] = "agent" }
        #expect(plan.isEmpty)
        #expect(plan.findings == [.imageForgesLabels(role: .agent, reference: reference)])
    }

    @Test("a missing egress network of others blocks, and is not made")
    func externalMissing() throws {
        let plan = try blocked { fixture in
            fixture.manifest.egress.network = "corp"
            fixture.networks.removeAll { $0.name == "corp" }
        }
        #expect(plan.isEmpty)
        #expect(plan.findings == [.externalNetworkMissing("corp")])
    }

    @Test(
        "an egress network that bottle made for a bottle blocks, whichever bottle's it is",
        arguments: [SampleManifest.installation, SampleManifest.otherInstallation]
    )
    func externalOfBottle(_ installation: InstallationID) throws {
        let other = try Identity("other")
        let plan = try blocked { fixture in
            fixture.manifest.egress.network = "bottle-other-egress"
            fixture.networks.append(
                ObservedNetwork(
                    id: "n-other",
                    name: "bottle-other-egress",
                    labels: Labels.of(other, role: "egress", installation: installation)
                )
            )
        }
        #expect(plan.isEmpty)
        #expect(plan.findings == [.externalNetworkOfBottle("bottle-other-egress")])
        #expect(plan.findings.filter(\.blocks).count == 1)
    }

    @Test("an egress network of others is joined, never changed or removed, even if our record names it")
    func externalKept() throws {
        var manifest = SampleManifest.routed
        manifest.egress.network = "corp"
        var fixture = try PlannerFixture.converged(manifest)
        for index in fixture.networks.indices where fixture.networks[index].name == "corp" {
            fixture.networks[index].isInternal = true
            fixture.networks[index].options = ["x": "y"]
        }
        fixture.record.names.append("corp")
        #expect(try fixture.plan().text == "")
    }

    @Test("objects with our labels that no record knows are neither removed nor torn down")
    func unrecorded() throws {
        var fixture = try PlannerFixture.converged(SampleManifest.unrouted)
        let labels = Labels.of(SampleManifest.identity, role: "git-gate", installation: SampleManifest.installation)
        fixture.containers.append(
            ObservedContainer(id: "c-x", name: "bottle-dev-git-gate", labels: labels)
        )
        fixture.volumes.append(ObservedVolume(name: "bottle-dev-git-gate-config", labels: labels))
        #expect(try fixture.plan().text == "")
        let desired = try fixture.desired()
        let teardown = Planner.teardown(
            SampleManifest.identity,
            observed: fixture.observed(desired),
            record: fixture.record
        )
        #expect(
            !teardown.actions.contains {
                $0.container == "c-x" || $0.object == .volume("bottle-dev-git-gate-config")
            }
        )
    }
}
