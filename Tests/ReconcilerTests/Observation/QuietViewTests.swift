import Reconciler
import ReconcilerEngine
import ReconcilerModel
import Testing

/// What the lists alone tell of a bottle: every change that matters makes another view, nothing else does.
@Suite struct QuietViewTests {
    private static let labels = [
        "dev.bottle.managed-by": "bottle", "dev.bottle.installation": "i", "dev.bottle.identity": "dev",
    ]

    private static var inventory: Inventory {
        Inventory(
            containers: [
                ContainerSummary(
                    id: "agent-id",
                    names: ["bottle-dev-agent"],
                    imageID: "sha256:1",
                    labels: labels,
                    state: "running",
                    status: "Up 1 second",
                    networks: ["bottle-dev-internal": NetworkEndpoint(networkID: "n1", ipAddress: "10.0.0.2")]
                )
            ],
            others: [ContainerSummary(id: "stranger", names: ["stranger"], state: "running")],
            networks: [
                NetworkSummary(id: "n1", name: "bottle-dev-internal", labels: labels),
                NetworkSummary(id: "n9", name: "elsewhere"),
            ],
            volumes: [VolumeSummary(name: "bottle-dev-home", labels: labels)]
        )
    }

    private static func view(_ change: (inout Inventory) -> Void = { _ in }) throws -> ListFingerprint {
        var inventory = inventory
        change(&inventory)
        return ListFingerprint(of: try Identity("dev"), installation: try InstallationID("i"), in: inventory)
    }

    @Test(arguments: [
        "a container is gone", "it does not run", "it is another container", "it is renamed", "it has another image",
        "it is on another network too", "it has another address", "it is on no network", "a network is gone",
        "a network is another", "a network has a twin", "a volume is gone", "a stranger has our name",
        "a stranger is on our network",
    ])
    func aChangeThatMattersMakesAnotherView(_ why: String) throws {
        let changed = try Self.view { inventory in
            switch why {
            case "a container is gone": inventory.containers = []
            case "it does not run": inventory.containers[0].state = "exited"
            case "it is another container": inventory.containers[0].id = "other"
            case "it is renamed": inventory.containers[0].names = ["old"]
            case "it has another image": inventory.containers[0].imageID = "sha256:2"
            case "it is on another network too":
                inventory.containers[0].networks["bridge"] = NetworkEndpoint(networkID: "b")
            case "it has another address":
                inventory.containers[0].networks["bottle-dev-internal"]?.ipAddress = "10.0.0.3"
            case "it is on no network": inventory.containers[0].networks = [:]
            case "a network is gone": inventory.networks.removeFirst()
            case "a network is another": inventory.networks[0].id = "n2"
            case "a network has a twin":
                inventory.networks.append(NetworkSummary(id: "n3", name: "bottle-dev-internal"))
            case "a volume is gone": inventory.volumes = []
            case "a stranger has our name": inventory.others[0].names = ["bottle-dev-firewall"]
            case "a stranger is on our network":
                inventory.others[0].networks["bottle-dev-internal"] = NetworkEndpoint(networkID: "n1")
            default: Issue.record("no such change: \(why)")
            }
        }
        #expect(try changed != Self.view())
    }

    @Test func whatIsOfNoConcernMakesNoOtherView() throws {
        let changed = try Self.view { inventory in
            inventory.containers[0].status = "Up 2 hours"
            inventory.others[0].state = "exited"
            inventory.others.append(ContainerSummary(id: "more"))
            inventory.networks[1].id = "n10"
            inventory.networks.append(NetworkSummary(id: "n11", name: "bottle-other-internal"))
            inventory.volumes.append(VolumeSummary(name: "theirs"))
        }
        #expect(try changed == Self.view())
    }
}
