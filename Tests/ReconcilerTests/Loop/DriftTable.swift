import EngineTestSupport
import ModelTestSupport
import ReconcilerEngine
import ReconcilerModel
import ReconcilerTime
import Testing

/// One thing that a bottle can suffer, and exactly what heals it.
struct DriftRow: Sendable, CustomTestStringConvertible {
    let cause: String
    /// Whether the world is afterwards what it was before the damage.
    var isHealed = true
    /// The containers whose files are read whole, as a slow sweep does.
    var reading: Set<Role> = []
    var secret = "s3cret"
    var manifest = SampleManifest.routed
    /// What our record says besides.
    var record: @Sendable (inout BottleRecord) -> Void = { _ in }
    /// The plan: every action, then the drift, then what is only reported.
    let plan: [String]
    let damage: @Sendable (inout EngineState) throws -> Void

    var testDescription: String { cause }
}

/// Every drift: what people, programs and the engine do to a bottle behind our back.
enum DriftTable {
    private typealias Row = DriftRow

    private static let agent = "bottle-dev-agent"
    private static let proxy = "bottle-dev-egress-proxy"
    private static let wall = "bottle-dev-firewall"

    static let rows: [DriftRow] = [
        Row(
            cause: "a sidecar was removed",
            plan: [
                "0 create container/firewall missing",
                "drift missing container/firewall: is gone",
            ]
        ) { try $0.remove(wall, force: true) },
        Row(
            cause: "the agent was removed",
            plan: [
                "0 create container/agent missing",
                "drift missing container/agent: is gone",
            ]
        ) { try $0.remove(agent, force: true) },
        Row(
            cause: "a sidecar exited",
            plan: [
                "0 start container/firewall stopped",
                "drift stopped container/firewall: has stopped",
            ]
        ) { try $0.exit(wall, code: 1) },
        Row(
            cause: "a sidecar was killed for its memory",
            plan: [
                "0 start container/egress-proxy stopped",
                "drift stopped container/egress-proxy: was killed for its memory",
            ]
        ) { try $0.runOutOfMemory(proxy) },
        Row(
            cause: "a sidecar is paused",
            plan: [
                "0 unpause container/egress-proxy paused",
                "drift paused container/egress-proxy: is paused",
            ]
        ) { try $0.pause(proxy) },
        Row(
            cause: "the agent is paused",
            plan: [
                "0 unpause container/agent paused",
                "drift paused container/agent: is paused",
            ]
        ) { try $0.pause(agent) },
        Row(
            cause: "a sidecar has another name",
            plan: [
                "0 remove container/firewall renamed",
                "1 create container/firewall renamed after 0",
                "drift renamed container/firewall: has another name",
            ]
        ) { try $0.rename(wall, to: "other") },
        Row(
            cause: "the living agent has another name",
            isHealed: false,
            plan: [
                "drift renamed container/agent: is not what its unchanged description would be made into now",
                "finding replacement-pending renamed",
            ]
        ) { try $0.rename(agent, to: "other") },
        Row(
            cause: "a sidecar is off one of its networks",
            plan: [
                "0 connect container/egress-proxy disconnected (link)",
                "drift disconnected container/egress-proxy: is not on the link network as planned",
            ]
        ) { world in
            try world.disconnect(network: "bottle-dev-link", container: proxy, force: true)
        },
        Row(
            cause: "the agent is off its network",
            plan: [
                "0 connect container/agent disconnected (internal)",
                "drift disconnected container/agent: is not on the internal network as planned",
            ]
        ) { world in
            try world.disconnect(network: "bottle-dev-internal", container: agent, force: true)
        },
        Row(
            cause: "a sidecar was put back at another address",
            plan: [
                "0 disconnect container/egress-proxy address-wrong (link)",
                "1 connect container/egress-proxy address-wrong (link) after 0",
                "drift address-wrong container/egress-proxy: is not on the link network as planned",
            ]
        ) { world in
            try world.disconnect(network: "bottle-dev-link", container: proxy, force: true)
            try world.connect(network: "bottle-dev-link", container: proxy, endpoint: EndpointCreate())
        },
        Row(
            cause: "a sidecar is on a network of others",
            isHealed: false,
            plan: [
                "0 disconnect container/firewall foreign-network",
                "drift foreign-network container/firewall: is attached to the network others",
            ]
        ) { world in
            let id = try world.createNetwork(NetworkCreate(name: "others"))
            try world.connect(network: id, container: wall, endpoint: EndpointCreate())
        },
        Row(
            cause: "the agent is on the bridge, and a sidecar is down",
            plan: [
                "0 disconnect container/agent foreign-network",
                "1 start container/firewall stopped after 0",
                "drift foreign-network container/agent: is attached to the network bridge",
                "drift stopped container/firewall: has stopped",
            ]
        ) { world in
            try world.connect(network: "bridge", container: agent, endpoint: EndpointCreate())
            try world.exit(wall, code: 1)
        },
        Row(
            cause: "the agent is on its bottle's own way out",
            plan: [
                "0 disconnect container/agent foreign-network",
                "drift foreign-network container/agent: is attached to the network bottle-dev-egress",
            ]
        ) { world in
            try world.connect(network: "bottle-dev-egress", container: agent, endpoint: EndpointCreate())
        },
        Row(
            cause: "a sidecar was put back at an address in use, in vain",
            plan: [
                "0 connect container/egress-proxy disconnected (link)",
                "drift disconnected container/egress-proxy: is not on the link network as planned",
            ]
        ) { world in
            let link = try world.network("bottle-dev-link")
            let address = try world.inspect(proxy).networks[link.name]?.ipAddress
            try world.disconnect(network: link.id, container: proxy, force: true)
            let endpoint = EndpointCreate(ipv4: address, aliases: [])
            _ = try world.createContainer(
                name: "squatter",
                ContainerCreate(
                    config: ContainerConfig(image: SampleEngine.base),
                    hostConfig: HostConfig(networkMode: link.id),
                    endpoints: [link.id: endpoint]
                )
            )
            try world.start("squatter")
            do {
                try world.connect(network: link.id, container: proxy, endpoint: endpoint)
            } catch {
                try world.remove("squatter", force: true)
            }
        },
        Row(
            cause: "a stranger's container is on the agent's network",
            isHealed: false,
            plan: [
                "drift foreign-container network/internal: holds stranger, which is not the bottle's",
                "finding foreign-container stranger internal",
            ]
        ) { world in
            let network = try world.network("bottle-dev-internal").id
            _ = try world.createContainer(
                name: "stranger",
                ContainerCreate(
                    config: ContainerConfig(image: SampleEngine.base),
                    hostConfig: HostConfig(networkMode: network),
                    endpoints: [network: EndpointCreate()]
                )
            )
            try world.connect(network: "bridge", container: "stranger", endpoint: EndpointCreate())
            // On no network of the bottle: no concern of its.
            let host = HostConfig(networkMode: "bridge")
            _ = try world.createContainer(
                name: "neighbour",
                ContainerCreate(config: ContainerConfig(image: SampleEngine.base), hostConfig: host)
            )
            for name in ["stranger", "neighbour"] { try world.start(name) }
        },
        Row(
            cause: "a network is gone, and its containers are down",
            plan: [
                "0 remove container/firewall network-gone",
                "1 remove container/egress-proxy network-gone",
                "2 create network/link missing after 0,1",
                "3 create container/firewall network-gone after 0,1,2",
                "4 create container/egress-proxy network-gone after 0,1,2",
                "drift network-gone container/firewall: is on a network that is gone",
                "drift network-gone container/egress-proxy: is on a network that is gone",
                "drift missing network/link: is gone",
            ]
        ) { world in
            for name in [proxy, wall] { try world.stop(name, timeout: 1) }
            try world.removeNetwork("bottle-dev-link")
        },
        Row(
            cause: "a network is gone from under a running container that was taken off it",
            plan: [
                "0 create network/link missing",
                "1 connect container/firewall network-changed (link) after 0",
                "2 restart container/firewall disconnected after 1",
                "3 connect container/egress-proxy network-changed (link) after 0",
                "drift missing network/link: is gone",
            ]
        ) { world in
            for name in [proxy, wall] { try world.disconnect(network: "bottle-dev-link", container: name, force: true) }
            try world.removeNetwork("bottle-dev-link")
        },
        Row(
            cause: "a network was replaced by one of the same name with our labels",
            plan: [
                "0 remove container/firewall network-gone",
                "1 remove container/egress-proxy network-gone",
                "2 create container/firewall network-gone after 0,1",
                "3 create container/egress-proxy network-gone after 0,1",
                "drift network-gone container/firewall: is on a network that is gone",
                "drift network-gone container/egress-proxy: is on a network that is gone",
            ]
        ) { world in
            for name in [proxy, wall] { try world.stop(name, timeout: 1) }
            let old = try world.network("bottle-dev-link")
            try world.removeNetwork("bottle-dev-link")
            _ = try world.createNetwork(
                NetworkCreate(
                    name: old.name,
                    isInternal: true,
                    ipam: old.ipam,
                    options: old.options,
                    labels: old.labels
                )
            )
        },
        Row(
            cause: "a network has a twin with our labels",
            plan: [
                "0 remove network/link not-desired",
                "drift not-desired network/link: is there twice",
            ]
        ) { world in
            let old = try world.network("bottle-dev-link")
            _ = try world.createNetwork(
                NetworkCreate(name: old.name, checkDuplicate: false, isInternal: true, labels: old.labels)
            )
        },
        Row(
            cause: "a network was replaced by a stranger's of the same name",
            isHealed: false,
            plan: ["finding name-taken network/link"]
        ) { world in
            for name in [proxy, wall] { try world.stop(name, timeout: 1) }
            try world.removeNetwork("bottle-dev-link")
            _ = try world.createNetwork(NetworkCreate(name: "bottle-dev-link"))
        },
        Row(cause: "a network has a stranger's twin", isHealed: false, plan: ["finding name-taken network/link"]) {
            world in
            _ = try world.createNetwork(NetworkCreate(name: "bottle-dev-link", checkDuplicate: false))
        },
        Row(
            cause: "a stranger's container has our name",
            isHealed: false,
            plan: ["finding name-taken container/firewall"]
        ) {
            world in
            try world.remove(wall, force: true)
            let config = ContainerConfig(image: SampleEngine.base)
            _ = try world.createContainer(name: wall, ContainerCreate(config: config))
        },
        Row(
            cause: "a file was edited by exec",
            plan: [
                "0 copy container/firewall file-changed /etc/firewall/allowlist",
                "1 signal container/firewall files-copied after 0",
                "drift file-changed container/firewall: /etc/firewall/allowlist is not as it was put there",
            ]
        ) { world in
            _ = try world.exec(wall, .write("evil.example.com 443\n", to: "/etc/firewall/allowlist"))
        },
        Row(
            cause: "a file was edited by the program itself",
            plan: [
                "0 copy container/egress-proxy file-changed /etc/egress-proxy/routes.yaml",
                "1 signal container/egress-proxy files-copied after 0",
                "drift file-changed container/egress-proxy: /etc/egress-proxy/routes.yaml is not as it was put there",
            ]
        ) { world in
            try world.edit("/etc/egress-proxy/routes.yaml", in: proxy) { node in
                node.kind = .file(Array("{}".utf8))
                node.modifiedAt = Timestamp(seconds: 1_800_000_000)
            }
        },
        Row(
            cause: "a file was edited by the program itself, which gave it the old size and time again",
            reading: [.egressProxy],
            plan: [
                "0 copy container/egress-proxy file-changed /etc/egress-proxy/routes.yaml",
                "1 signal container/egress-proxy files-copied after 0",
                "drift file-changed container/egress-proxy: /etc/egress-proxy/routes.yaml is not as it was put there",
            ]
        ) { world in
            try world.edit("/etc/egress-proxy/routes.yaml", in: proxy) { node in
                node.kind = .file((node.content ?? []).map { $0 == UInt8(ascii: "a") ? UInt8(ascii: "b") : $0 })
            }
        },
        Row(
            cause: "the same, and only the firewall is under suspicion",
            isHealed: false,
            reading: [.firewall],
            plan: []
        ) { world in
            try world.edit("/etc/egress-proxy/routes.yaml", in: proxy) { node in
                node.kind = .file((node.content ?? []).map { $0 == UInt8(ascii: "a") ? UInt8(ascii: "b") : $0 })
            }
        },
        Row(
            cause: "a file was given to another user",
            reading: [.firewall],
            plan: [
                "0 copy container/firewall file-changed /etc/firewall/allowlist",
                "1 signal container/firewall files-copied after 0",
                "drift file-changed container/firewall: /etc/firewall/allowlist is not as it was put there",
            ]
        ) { world in
            try world.edit("/etc/firewall/allowlist", in: wall) { $0.uid = 1234 }
        },
        Row(
            cause: "a file was given to another group",
            reading: Set(Role.allCases),
            plan: [
                "0 stop container/egress-proxy file-changed",
                "1 copy container/egress-proxy file-changed /etc/egress-proxy/ca.pem after 0",
                "2 start container/egress-proxy files-copied after 1",
                "drift file-changed container/egress-proxy: /etc/egress-proxy/ca.pem is not as it was put there",
            ]
        ) { world in
            try world.edit("/etc/egress-proxy/ca.pem", in: proxy) { $0.gid = 0 }
        },
        Row(
            cause: "a file of the agent was edited, and given the old size and time again",
            reading: Set(Role.allCases),
            plan: [
                "0 copy container/agent file-changed /etc/bottle/prompt.md",
                "drift file-changed container/agent: /etc/bottle/prompt.md is not as it was put there",
            ]
        ) { world in
            try world.edit("/etc/bottle/prompt.md", in: agent) { $0.kind = .file(Array("Do ti.".utf8)) }
        },
        Row(
            cause: "a file that is not read again was edited",
            plan: [
                "0 stop container/egress-proxy file-changed",
                "1 copy container/egress-proxy file-changed /etc/egress-proxy/ca.pem after 0",
                "2 start container/egress-proxy files-copied after 1",
                "drift file-changed container/egress-proxy: /etc/egress-proxy/ca.pem is not as it was put there",
            ]
        ) { world in
            _ = try world.exec(proxy, .write("X", to: "/etc/egress-proxy/ca.pem"))
        },
        Row(
            cause: "a file was removed",
            plan: [
                "0 copy container/firewall file-missing /etc/firewall/allowlist",
                "1 signal container/firewall files-copied after 0",
                "drift file-missing container/firewall: /etc/firewall/allowlist is gone",
            ]
        ) { world in
            _ = try world.exec(wall, .remove("/etc/firewall/allowlist"))
        },
        Row(
            cause: "a file of the agent was edited",
            plan: [
                "0 copy container/agent file-changed /etc/bottle/prompt.md",
                "drift file-changed container/agent: /etc/bottle/prompt.md is not as it was put there",
            ]
        ) { world in
            _ = try world.exec(agent, .write("Do something else.", to: "/etc/bottle/prompt.md"))
        },
        Row(
            cause: "a file's mode was changed",
            plan: [
                "0 stop container/egress-proxy file-changed",
                "1 copy container/egress-proxy file-changed /etc/egress-proxy/ca.pem after 0",
                "2 start container/egress-proxy files-copied after 1",
                "drift file-changed container/egress-proxy: /etc/egress-proxy/ca.pem is not as it was put there",
            ]
        ) { world in
            _ = try world.exec(proxy, .changeMode(0o666, of: "/etc/egress-proxy/ca.pem"))
        },
        Row(
            cause: "the files are right, but others are loaded that allow more",
            plan: [
                "0 restart container/firewall permission-withdrawn",
                "drift other-generation container/firewall: has not loaded the files it was given",
            ]
        ) { world in
            let path = "/etc/firewall/allowlist"
            try load("evil.example.com 443\n", path, in: wall, &world)
        },
        Row(
            cause: "the files are right, but others are loaded at a sidecar that closes what is live by itself",
            plan: [
                "0 signal container/egress-proxy other-generation",
                "drift other-generation container/egress-proxy: has not loaded the files it was given",
            ]
        ) { world in try load("{}", "/etc/egress-proxy/routes.yaml", in: proxy, &world) },
        Row(
            cause: "limits were changed",
            plan: [
                "0 update container/egress-proxy limits-changed",
                "drift limits-changed container/egress-proxy: has other limits",
            ]
        ) { world in
            _ = try world.update(proxy, ContainerUpdate(nanoCPUs: 1_000_000_000, pidsLimit: 4096))
        },
        Row(
            cause: "sidecars have the memory that an earlier version gave them",
            plan: [
                "0 update container/firewall limits-changed",
                "1 update container/egress-proxy limits-changed",
                "drift limits-changed container/firewall: has other limits",
                "drift limits-changed container/egress-proxy: has other limits",
            ]
        ) { world in
            _ = try world.update(proxy, ContainerUpdate(memory: 512 << 20, memorySwap: 512 << 20))
            _ = try world.update(wall, ContainerUpdate(memory: 256 << 20, memorySwap: 256 << 20))
        },
        Row(
            cause: "the memory of the agent was changed",
            plan: [
                "0 update container/agent limits-changed",
                "drift limits-changed container/agent: has other limits",
            ]
        ) { world in
            _ = try world.update(agent, ContainerUpdate(memory: 8 << 30, memorySwap: 8 << 30))
        },
        Row(
            cause: "the restart policy was changed",
            plan: [
                "0 update container/firewall limits-changed",
                "drift limits-changed container/firewall: would be started again by the engine itself",
            ]
        ) { world in
            _ = try world.update(wall, ContainerUpdate(restartPolicy: .init(name: "always")))
        },
        Row(
            cause: "a secret was rotated",
            isHealed: false,
            secret: "another",
            plan: [
                "0 remove container/egress-proxy spec-changed",
                "1 create container/egress-proxy spec-changed after 0",
                "drift spec-changed container/egress-proxy: was made from another description",
            ]
        ) { _ in },
        Row(
            cause: "the image of a sidecar moved",
            isHealed: false,
            plan: [
                "0 remove container/firewall image-changed",
                "1 create container/firewall image-changed after 0",
                "drift image-changed container/firewall: runs another image than its name stands for now",
            ]
        ) { world in
            try world.move("bottle/firewall")
        },
        Row(
            cause: "the image of the agent moved",
            isHealed: false,
            plan: [
                "drift image-changed container/agent: is not what its unchanged description would be made into now",
                "finding replacement-pending image-changed",
            ]
        ) { world in
            try world.move("bottle/agent")
        },
        Row(cause: "the agent ended well", isHealed: false, plan: ["finding agent-ended 0"]) {
            try $0.exit(agent, code: 0)
        },
        Row(cause: "the agent failed", isHealed: false, plan: ["finding agent-ended 2"]) {
            try $0.exit(agent, code: 2)
        },
        Row(
            cause: "the agent that is always to run ended",
            manifest: SampleManifest.edited { $0.agent.restart = .always },
            plan: ["0 start container/agent ended"]
        ) { try $0.exit(agent, code: 0) },
        Row(
            cause: "the agent that is to run again when it fails failed",
            manifest: SampleManifest.edited { $0.agent.restart = .onFailure },
            plan: ["0 start container/agent ended"]
        ) { try $0.exit(agent, code: 2) },
        Row(
            cause: "all containers stopped, and the agent is always to run",
            manifest: SampleManifest.edited { $0.agent.restart = .always },
            plan: [
                "0 start container/firewall stopped",
                "1 start container/egress-proxy stopped after 0",
                "2 start container/agent ended after 0,1",
                "drift stopped container/firewall: has stopped",
                "drift stopped container/egress-proxy: has stopped",
            ]
        ) { world in
            for name in [agent, proxy, wall] { try world.exit(name, code: 137) }
        },
        Row(
            cause: "all containers stopped, as after a reboot",
            isHealed: false,
            plan: [
                "0 start container/firewall stopped",
                "1 start container/egress-proxy stopped after 0",
                "drift stopped container/firewall: has stopped",
                "drift stopped container/egress-proxy: has stopped",
                "finding agent-ended 137",
            ]
        ) { world in
            for name in [agent, proxy, wall] { try world.exit(name, code: 137) }
        },
        Row(
            cause: "all containers are gone",
            plan: [
                "0 create container/firewall missing",
                "1 create container/egress-proxy missing",
                "2 create container/agent missing starts after 0,1",
                "drift missing container/firewall: is gone",
                "drift missing container/egress-proxy: is gone",
                "drift missing container/agent: is gone",
            ]
        ) { world in
            for name in [agent, proxy, wall] { try world.remove(name, force: true) }
        },
        Row(
            cause: "everything is gone but the agent's work",
            plan: [
                "0 create network/internal missing",
                "1 create network/link missing",
                "2 create network/egress missing",
                "3 create volume/bottle-dev-egress-proxy-config missing",
                "4 create volume/bottle-dev-egress-proxy-run missing",
                "5 create volume/bottle-dev-firewall-config missing",
                "6 create volume/bottle-dev-firewall-run missing",
                "7 create container/firewall missing after 1,2,5,6",
                "8 create container/egress-proxy missing after 0,1,3,4",
                "9 create container/agent missing after 0 starts after 7,8",
                "drift missing container/firewall: is gone",
                "drift missing container/egress-proxy: is gone",
                "drift missing container/agent: is gone",
                "drift missing network/internal: is gone",
                "drift missing network/link: is gone",
                "drift missing network/egress: is gone",
                "drift missing volume/bottle-dev-egress-proxy-config: is gone",
                "drift missing volume/bottle-dev-egress-proxy-run: is gone",
                "drift missing volume/bottle-dev-firewall-config: is gone",
                "drift missing volume/bottle-dev-firewall-run: is gone",
            ]
        ) { world in
            for name in [agent, proxy, wall] { try world.remove(name, force: true) }
            for name in ["internal", "link", "egress"] { try world.removeNetwork("bottle-dev-\(name)") }
            for name in ["egress-proxy", "firewall"] {
                for part in ["config", "run"] { try world.removeVolume("bottle-dev-\(name)-\(part)") }
            }
        },
        Row(
            cause: "a volume and its container are gone",
            plan: [
                "0 create volume/bottle-dev-firewall-run missing",
                "1 create container/firewall missing after 0",
                "drift missing container/firewall: is gone",
                "drift missing volume/bottle-dev-firewall-run: is gone",
            ]
        ) { world in
            try world.remove(wall, force: true)
            try world.removeVolume("bottle-dev-firewall-run")
        },
        Row(
            cause: "the egress-proxy was removed",
            plan: [
                "0 create container/egress-proxy missing",
                "drift missing container/egress-proxy: is gone",
            ]
        ) { try $0.remove(proxy, force: true) },
        Row(
            cause: "a sidecar is dead",
            plan: [
                "0 remove container/firewall stopped",
                "1 create container/firewall stopped after 0",
                "drift stopped container/firewall: is dead",
            ]
        ) { world in
            try world.exit(wall, code: 137)
            try world.change(wall) { $0.state.status = "dead" }
        },
        Row(
            cause: "the agent was removed, and a sidecar exited",
            plan: [
                "0 start container/egress-proxy stopped",
                "1 create container/agent missing starts after 0",
                "drift missing container/agent: is gone",
                "drift stopped container/egress-proxy: has stopped",
            ]
        ) { world in
            try world.remove(agent, force: true)
            try world.exit(proxy, code: 137)
        },
        Row(
            cause: "the egress-proxy has another name",
            plan: [
                "0 remove container/egress-proxy renamed",
                "1 create container/egress-proxy renamed after 0",
                "drift renamed container/egress-proxy: has another name",
            ]
        ) { try $0.rename(proxy, to: "other") },
        Row(
            cause: "a sidecar is off the network that it serves",
            plan: [
                "0 connect container/egress-proxy disconnected (internal)",
                "1 restart container/egress-proxy disconnected after 0",
                "drift disconnected container/egress-proxy: is not on the internal network as planned",
            ]
        ) { try $0.disconnect(network: "bottle-dev-internal", container: proxy, force: true) },
        Row(
            cause: "a sidecar was put back on the network that it serves at another address",
            plan: [
                "0 disconnect container/egress-proxy address-wrong (internal)",
                "1 connect container/egress-proxy address-wrong (internal) after 0",
                "2 restart container/egress-proxy disconnected after 1",
                "drift address-wrong container/egress-proxy: is not on the internal network as planned",
            ]
        ) { try reconnect(&$0, at: "14", aliases: ["egress-proxy"]) },
        Row(
            cause: "a sidecar was put back on the network that it serves without its name there",
            plan: [
                "0 disconnect container/egress-proxy address-wrong (internal)",
                "1 connect container/egress-proxy address-wrong (internal) after 0",
                "2 restart container/egress-proxy disconnected after 1",
                "drift address-wrong container/egress-proxy: is not on the internal network as planned",
            ]
        ) { try reconnect(&$0, aliases: []) },
        Row(cause: "a sidecar was put back as it was", plan: []) { try reconnect(&$0, aliases: ["egress-proxy"]) },
        Row(
            cause: "the agent is on the bridge, and a sidecar is gone",
            plan: [
                "0 disconnect container/agent foreign-network",
                "1 create container/firewall missing starts after 0",
                "drift missing container/firewall: is gone",
                "drift foreign-network container/agent: is attached to the network bridge",
            ]
        ) { world in
            try world.remove(wall, force: true)
            try world.connect(network: "bridge", container: agent, endpoint: EndpointCreate())
        },
        Row(
            cause: "the agent's network is gone",
            plan: [
                "0 remove container/egress-proxy network-gone",
                "1 create network/internal missing after 0",
                "2 create container/egress-proxy network-gone after 0,1",
                "3 connect container/agent network-changed (internal) after 1",
                "drift network-gone container/egress-proxy: is on a network that is gone",
                "drift missing network/internal: is gone",
            ]
        ) { world in
            try world.exit(proxy, code: 137)
            try world.disconnect(network: "bottle-dev-internal", container: agent, force: true)
            try world.removeNetwork("bottle-dev-internal")
        },
        Row(
            cause: "a network has other options",
            plan: [
                "0 disconnect container/egress-proxy network-changed (internal)",
                "1 disconnect container/agent network-changed (internal)",
                "2 remove network/internal network-changed after 0,1",
                "3 create network/internal network-changed after 2",
                "4 connect container/egress-proxy network-changed (internal) after 3",
                "5 restart container/egress-proxy disconnected after 4",
                "6 connect container/agent network-changed (internal) after 3",
                "drift network-changed network/internal: has another subnet or other options",
            ]
        ) { world in
            let id = try world.network("bottle-dev-internal").id
            world.networks[id]?.summary.options = [:]
        },
        Row(
            cause: "a network was replaced by one with another subnet",
            plan: [
                "0 remove container/firewall network-gone",
                "1 remove container/egress-proxy network-gone",
                "2 remove network/link network-changed after 0,1",
                "3 create network/link network-changed after 2",
                "4 create container/firewall network-gone after 0,1,3",
                "5 create container/egress-proxy network-gone after 0,1,3",
                "drift network-gone container/firewall: is on a network that is gone",
                "drift network-gone container/egress-proxy: is on a network that is gone",
                "drift network-changed network/link: has another subnet or other options",
            ]
        ) { world in
            for name in [proxy, wall] { try world.exit(name, code: 137) }
            let old = try world.network("bottle-dev-link")
            try world.removeNetwork(old.id)
            let pool = IPAM.Pool(subnet: "10.99.0.0/28")
            _ = try world.createNetwork(
                NetworkCreate(name: old.name, isInternal: true, ipam: IPAM(pools: [pool]), labels: old.labels)
            )
        },
        Row(
            cause: "a file was edited, and the program has loaded that",
            plan: [
                "0 copy container/firewall file-changed /etc/firewall/allowlist",
                "1 restart container/firewall permission-withdrawn after 0",
                "drift file-changed container/firewall: /etc/firewall/allowlist is not as it was put there",
            ]
        ) { world in
            _ = try world.exec(wall, .write("evil.example 443\n", to: "/etc/firewall/allowlist"))
            try world.kill(wall, signal: "SIGHUP")
            for _ in 0..<10 { world.pass() }
        },
        Row(
            cause: "a file that is not read again was removed",
            plan: [
                "0 stop container/egress-proxy file-missing",
                "1 copy container/egress-proxy file-missing /etc/egress-proxy/ca.pem after 0",
                "2 start container/egress-proxy files-copied after 1",
                "drift file-missing container/egress-proxy: /etc/egress-proxy/ca.pem is gone",
            ]
        ) { _ = try $0.exec(proxy, .remove("/etc/egress-proxy/ca.pem")) },
        Row(
            cause: "the mode of a file that is read again was changed",
            plan: [
                "0 copy container/firewall file-changed /etc/firewall/allowlist",
                "1 signal container/firewall files-copied after 0",
                "drift file-changed container/firewall: /etc/firewall/allowlist is not as it was put there",
            ]
        ) { _ = try $0.exec(wall, .changeMode(0o777, of: "/etc/firewall/allowlist")) },
        Row(
            cause: "a container with a sidecar's labels runs privileged",
            plan: [
                "0 remove container/firewall spec-changed",
                "1 create container/firewall spec-changed after 0",
                "drift spec-changed container/firewall: was made from another description",
            ]
        ) { try $0.change(wall) { $0.hostConfig.isPrivileged = true } },
        Row(
            cause: "a container with the agent's labels runs privileged",
            isHealed: false,
            plan: [
                "drift spec-changed container/agent: is not what its unchanged description would be made into now",
                "finding replacement-pending spec-changed",
            ]
        ) { try $0.change(agent) { $0.hostConfig.isPrivileged = true } },
        Row(
            cause: "a container with a sidecar's labels runs another image",
            plan: [
                "0 remove container/egress-proxy image-changed",
                "1 create container/egress-proxy image-changed after 0",
                "drift image-changed container/egress-proxy: runs another image than its name stands for now",
            ]
        ) { try $0.change(proxy) { $0.imageID = "sha256:evil" } },
        Row(
            cause: "the restart policy of the agent was changed",
            plan: [
                "0 update container/agent limits-changed",
                "drift limits-changed container/agent: would be started again by the engine itself",
            ]
        ) { _ = try $0.update(agent, ContainerUpdate(restartPolicy: .init(name: "always"))) },
        Row(
            cause: "the agent has a limit that nothing asks for",
            isHealed: false,
            manifest: SampleManifest.edited { $0.agent.resources.memory = nil },
            plan: ["drift limits-changed container/agent: has limits that nobody asked for: memory"]
        ) { _ = try $0.update(agent, ContainerUpdate(memory: 8 << 30, memorySwap: 8 << 30)) },
        Row(
            cause: "the image of a running sidecar was removed",
            plan: [
                "0 build image/firewall missing",
                "drift missing image/firewall: is gone",
            ]
        ) { world in
            let id = try #require(world.findImage("bottle/firewall")).id
            world.images[id]?.tags = []
        },
        Row(cause: "the agent failed with 1", isHealed: false, plan: ["finding agent-ended 1"]) {
            try $0.exit(agent, code: 1)
        },
        Row(
            cause: "the agent that is to run again when it fails ended well",
            isHealed: false,
            manifest: SampleManifest.edited { $0.agent.restart = .onFailure },
            plan: ["finding agent-ended 0"]
        ) { try $0.exit(agent, code: 0) },
        Row(
            cause: "the agent that is to run again when it fails was killed",
            manifest: SampleManifest.edited { $0.agent.restart = .onFailure },
            plan: ["0 start container/agent ended"]
        ) { try $0.exit(agent, code: 137) },
        Row(
            cause: "the agent that is always to run failed",
            manifest: SampleManifest.edited { $0.agent.restart = .always },
            plan: ["0 start container/agent ended"]
        ) { try $0.exit(agent, code: 1) },
        Row(
            cause: "parts of an earlier bottle are left, also the agent's work",
            isHealed: false,
            manifest: SampleManifest.unrouted,
            record: { record in
                record.names += ["git-gate", "git-gate-config", "workspace", "link"].map { "bottle-dev-\($0)" }
            },
            plan: [
                "0 remove container/git-gate not-desired",
                "1 remove network/link not-desired after 0",
                "2 remove volume/bottle-dev-git-gate-config not-desired after 0,1",
                "drift not-desired container/git-gate: is there, but not wanted",
                "drift not-desired network/link: is there, but not wanted",
                "drift not-desired volume/bottle-dev-git-gate-config: is there, but not wanted",
            ]
        ) { world in
            let ours = try #require(world.inspect(wall).config.labels)
            let labels = { (role: String) in
                ours.filter { $0.key != Labels.specHash }.merging([Labels.role: role]) { $1 }
            }
            let config = ContainerConfig(image: SampleEngine.base, labels: labels("git-gate"))
            _ = try world.createContainer(name: "bottle-dev-git-gate", ContainerCreate(config: config))
            for purpose in ["git-gate-config", "workspace"] {
                _ = world.makeVolume("bottle-dev-\(purpose)", labels: labels(purpose))
            }
            _ = try world.createNetwork(NetworkCreate(name: "bottle-dev-link", labels: labels("link")))
        },
    ]

    /// Takes the egress-proxy off the network that it serves, and puts it back there.
    ///
    /// - Parameter number: the end of its new address; nil: its own.
    private static func reconnect(_ world: inout EngineState, at number: String? = nil, aliases: [String]) throws {
        let network = try world.network("bottle-dev-internal")
        var address = try #require(world.inspect(proxy).networks[network.name]?.ipAddress)
        if let number { address = address.split(separator: ".").dropLast().joined(separator: ".") + ".\(number)" }
        try world.disconnect(network: network.id, container: proxy, force: true)
        let endpoint = EndpointCreate(ipv4: address, aliases: aliases)
        try world.connect(network: network.id, container: proxy, endpoint: endpoint)
    }

    /// Has a sidecar load other content, and puts the right file back without a word.
    private static func load(_ text: String, _ path: String, in container: String, _ world: inout EngineState) throws {
        let before = try world.look(path, in: container)
        _ = try world.exec(container, .write(text, to: path))
        try world.kill(container, signal: "SIGHUP")
        for _ in 0..<10 { world.pass() }
        try world.edit(path, in: container) { $0 = before }
    }
}

extension EngineState {
    fileprivate mutating func change(_ name: String, _ change: (inout MemoryContainer) -> Void) throws {
        var container = try #require(containers.values.first { $0.name == name })
        change(&container)
        containers[container.id] = container
    }
}
