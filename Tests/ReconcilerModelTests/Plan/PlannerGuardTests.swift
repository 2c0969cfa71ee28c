import ReconcilerModel
import Testing

/// What the planner never touches.
@Suite("what the planner leaves alone")
struct PlannerGuardTests {
    private static let ours = Labels.of(Sample.identity, role: "firewall", installation: Sample.installation)
    private static let others = Labels.of(Sample.identity, role: "firewall", installation: Sample.otherInstallation)

    private func blocked(_ prepare: (inout World) -> Void) throws -> Plan {
        var world = try World.converged(Sample.routed)
        world.edit { $0.egress.allowlist = [] }
        prepare(&world)
        return try world.plan()
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
        let plan = try blocked { world in
            world.boxes.removeAll { $0.shell.name == name }
            world.boxes.append(
                .init(shell: ObservedContainer(id: "0123456789abcdef", name: name, labels: labels), mounts: [])
            )
            world.record.names.removeAll { $0 == name }
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
        let plan = try blocked { world in
            world.networks.append(ObservedNetwork(id: "n-other", name: "bottle-dev-link"))
            world.volumes.removeAll { $0.name == "bottle-dev-home" }
            world.volumes.append(ObservedVolume(name: "bottle-dev-home"))
        }
        #expect(plan.isEmpty)
        #expect(plan.findings.count == 2)
        #expect(plan.findings.filter(\.blocks).count == 2)
    }

    @Test("an image that carries one of our labels blocks every action")
    func forgedImage() throws {
        let reference = Sample.image(.agent).reference
        let plan = try blocked { $0.images[reference]?.labels["dev.bottle.role"] = "agent" }
        #expect(plan.isEmpty)
        #expect(plan.findings == [.imageForgesLabels(role: .agent, reference: reference)])
    }

    @Test("a missing egress network of others blocks, and is not made")
    func externalMissing() throws {
        let plan = try blocked { world in
            world.manifest.egress.network = "corp"
            world.networks.removeAll { $0.name == "corp" }
        }
        #expect(plan.isEmpty)
        #expect(plan.findings == [.externalNetworkMissing("corp")])
    }

    @Test(
        "an egress network that bottle made for a bottle blocks, whichever bottle's it is",
        arguments: [Sample.installation, Sample.otherInstallation]
    )
    func externalOfBottle(_ installation: InstallationID) throws {
        let other = try Identity("other")
        let plan = try blocked { world in
            world.manifest.egress.network = "bottle-other-egress"
            world.networks.append(
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
        var manifest = Sample.routed
        manifest.egress.network = "corp"
        var world = try World.converged(manifest)
        for index in world.networks.indices where world.networks[index].name == "corp" {
            world.networks[index].isInternal = true
            world.networks[index].options = ["x": "y"]
        }
        world.record.names.append("corp")
        #expect(try world.plan().text == "")
    }

    @Test("objects with our labels that no record knows are neither removed nor torn down")
    func unrecorded() throws {
        var world = try World.converged(Sample.unrouted)
        let labels = Labels.of(Sample.identity, role: "git-gate", installation: Sample.installation)
        world.boxes.append(
            .init(shell: ObservedContainer(id: "c-x", name: "bottle-dev-git-gate", labels: labels), mounts: [])
        )
        world.volumes.append(ObservedVolume(name: "bottle-dev-git-gate-config", labels: labels))
        #expect(try world.plan().text == "")
        let desired = try world.desired()
        let teardown = Planner.teardown(Sample.identity, observed: world.observe(desired), record: world.record)
        #expect(!teardown.actions.contains { $0.target == "c-x" || $0.target == "bottle-dev-git-gate-config" })
    }
}
