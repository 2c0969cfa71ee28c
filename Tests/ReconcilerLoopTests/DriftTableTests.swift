import EngineTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerTime
import Testing

/// What somebody or something does to a bottle, and exactly what heals it.
@Suite("Every drift")
struct DriftTableTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let damage: @Sendable (inout EngineState) throws -> Void
        /// The plan: every action, then the drift, then what is only reported.
        let plan: [String]
        /// Whether the world is afterwards what it was before the damage.
        var isHealed = true
        var secret = "s3cret"
        var restart = RestartPolicy.never
        /// The containers whose files are read whole, as a slow sweep does.
        var reading: Set<Role> = []

        init(
            _ name: String,
            isHealed: Bool = true,
            reading: Set<Role> = [],
            secret: String = "s3cret",
            restart: RestartPolicy = .never,
            plan: [String],
            _ damage: @escaping @Sendable (inout EngineState) throws -> Void
        ) {
            testDescription = name
            self.damage = damage
            self.plan = plan
            self.isHealed = isHealed
            self.secret = secret
            self.restart = restart
            self.reading = reading
        }
    }

    private static let agent = "bottle-dev-agent"
    private static let proxy = "bottle-dev-egress-proxy"
    private static let wall = "bottle-dev-firewall"

    static let rows: [Row] = [
        Row(
            "a sidecar was removed",
            plan: [
                "create container/firewall missing",
                "drift missing container/firewall: is gone",
            ]
        ) { try $0.remove(wall, force: true) },
        Row(
            "the agent was removed",
            plan: [
                "create container/agent missing",
                "drift missing container/agent: is gone",
            ]
        ) { try $0.remove(agent, force: true) },
        Row(
            "a sidecar exited",
            plan: [
                "start container/firewall stopped",
                "drift stopped container/firewall: has stopped",
            ]
        ) { try $0.exit(wall, code: 1) },
        Row(
            "a sidecar was killed for its memory",
            plan: [
                "start container/egress-proxy stopped",
                "drift stopped container/egress-proxy: was killed for its memory",
            ]
        ) { try $0.runOutOfMemory(proxy) },
        Row(
            "a sidecar is paused",
            plan: [
                "unpause container/egress-proxy paused",
                "drift paused container/egress-proxy: is paused",
            ]
        ) { try $0.pause(proxy) },
        Row(
            "the agent is paused",
            plan: [
                "unpause container/agent paused",
                "drift paused container/agent: is paused",
            ]
        ) { try $0.pause(agent) },
        Row(
            "a sidecar has another name",
            plan: [
                "remove container/firewall renamed",
                "create container/firewall renamed",
                "drift renamed container/firewall: has another name",
            ]
        ) { try $0.rename(wall, to: "other") },
        Row(
            "the living agent has another name",
            isHealed: false,
            plan: [
                "drift renamed container/agent: is not what its unchanged description would be made into now",
                "finding replacement-pending renamed",
            ]
        ) { try $0.rename(agent, to: "other") },
        Row(
            "a sidecar is off one of its networks",
            plan: [
                "connect container/egress-proxy disconnected (link)",
                "drift disconnected container/egress-proxy: is not on the link network as planned",
            ]
        ) { world in
            try world.disconnect(network: "bottle-dev-link", container: proxy, force: true)
        },
        Row(
            "the agent is off its network",
            plan: [
                "connect container/agent disconnected (internal)",
                "drift disconnected container/agent: is not on the internal network as planned",
            ]
        ) { world in
            try world.disconnect(network: "bottle-dev-internal", container: agent, force: true)
        },
        Row(
            "a sidecar was put back at another address",
            plan: [
                "disconnect container/egress-proxy address-wrong (link)",
                "connect container/egress-proxy address-wrong (link)",
                "drift address-wrong container/egress-proxy: is not on the link network as planned",
            ]
        ) { world in
            try world.disconnect(network: "bottle-dev-link", container: proxy, force: true)
            try world.connect(network: "bottle-dev-link", container: proxy, endpoint: EndpointCreate())
        },
        Row(
            "a sidecar is on a network of others",
            isHealed: false,
            plan: [
                "disconnect container/firewall foreign-network",
                "drift foreign-network container/firewall: is attached to the network others",
            ]
        ) { world in
            let id = try world.createNetwork(NetworkCreate(name: "others"))
            try world.connect(network: id, container: wall, endpoint: EndpointCreate())
        },
        Row(
            "the agent is on the bridge, and a sidecar is down",
            plan: [
                "disconnect container/agent foreign-network",
                "start container/firewall stopped",
                "drift foreign-network container/agent: is attached to the network bridge",
                "drift stopped container/firewall: has stopped",
            ]
        ) { world in
            try world.connect(network: "bridge", container: agent, endpoint: EndpointCreate())
            try world.exit(wall, code: 1)
        },
        Row(
            "the agent is on its bottle's own way out",
            plan: [
                "disconnect container/agent foreign-network",
                "drift foreign-network container/agent: is attached to the network bottle-dev-egress",
            ]
        ) { world in
            try world.connect(network: "bottle-dev-egress", container: agent, endpoint: EndpointCreate())
        },
        Row(
            "a sidecar was put back where somebody sat, in vain",
            plan: [
                "connect container/egress-proxy disconnected (link)",
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
                    config: ContainerConfig(image: Sample.base),
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
            "a stranger's container is on the agent's network",
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
                    config: ContainerConfig(image: Sample.base),
                    hostConfig: HostConfig(networkMode: network),
                    endpoints: [network: EndpointCreate()]
                )
            )
            try world.start("stranger")
        },
        Row(
            "a network is gone, and its containers are down",
            plan: [
                "remove container/firewall network-gone",
                "remove container/egress-proxy network-gone",
                "create network/link missing",
                "create container/firewall network-gone",
                "create container/egress-proxy network-gone",
                "drift network-gone container/firewall: is on a network that is gone",
                "drift network-gone container/egress-proxy: is on a network that is gone",
                "drift missing network/link: is gone",
            ]
        ) { world in
            for name in [proxy, wall] { try world.stop(name, timeout: 1) }
            try world.removeNetwork("bottle-dev-link")
        },
        Row(
            "a network is gone from under a running container that was taken off it",
            plan: [
                "create network/link missing",
                "connect container/firewall network-changed (link)",
                "restart container/firewall disconnected",
                "connect container/egress-proxy network-changed (link)",
                "drift missing network/link: is gone",
            ]
        ) { world in
            for name in [proxy, wall] { try world.disconnect(network: "bottle-dev-link", container: name, force: true) }
            try world.removeNetwork("bottle-dev-link")
        },
        Row(
            "a network was replaced by one of the same name with our labels",
            plan: [
                "remove container/firewall network-gone",
                "remove container/egress-proxy network-gone",
                "create container/firewall network-gone",
                "create container/egress-proxy network-gone",
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
            "a network has a twin with our labels",
            plan: [
                "remove network/link not-desired",
                "drift not-desired network/link: is there twice",
            ]
        ) { world in
            let old = try world.network("bottle-dev-link")
            _ = try world.createNetwork(
                NetworkCreate(name: old.name, checkDuplicate: false, isInternal: true, labels: old.labels)
            )
        },
        Row(
            "a network was replaced by a stranger's of the same name",
            isHealed: false,
            plan: ["finding name-taken network/link"]
        ) { world in
            for name in [proxy, wall] { try world.stop(name, timeout: 1) }
            try world.removeNetwork("bottle-dev-link")
            _ = try world.createNetwork(NetworkCreate(name: "bottle-dev-link"))
        },
        Row("a network has a stranger's twin", isHealed: false, plan: ["finding name-taken network/link"]) { world in
            _ = try world.createNetwork(NetworkCreate(name: "bottle-dev-link", checkDuplicate: false))
        },
        Row("a stranger's container has our name", isHealed: false, plan: ["finding name-taken container/firewall"]) {
            world in
            try world.remove(wall, force: true)
            let config = ContainerConfig(image: Sample.base)
            _ = try world.createContainer(name: wall, ContainerCreate(config: config))
        },
        Row(
            "a file was edited by exec",
            plan: [
                "copy container/firewall file-changed /etc/firewall/allowlist",
                "signal container/firewall files-copied",
                "drift file-changed container/firewall: /etc/firewall/allowlist is not as it was put there",
            ]
        ) { world in
            _ = try world.exec(wall, .write("evil.example.com 443\n", to: "/etc/firewall/allowlist"))
        },
        Row(
            "a file was edited by the program itself",
            plan: [
                "copy container/egress-proxy file-changed /etc/egress-proxy/routes.yaml",
                "signal container/egress-proxy files-copied",
                "drift file-changed container/egress-proxy: /etc/egress-proxy/routes.yaml is not as it was put there",
            ]
        ) { world in
            try world.edit("/etc/egress-proxy/routes.yaml", in: proxy) { node in
                node.kind = .file(Array("{}".utf8))
                node.modifiedAt = Timestamp(seconds: 1_800_000_000)
            }
        },
        Row(
            "a file was edited by the program itself, which gave it the old size and time again",
            reading: [.egressProxy],
            plan: [
                "copy container/egress-proxy file-changed /etc/egress-proxy/routes.yaml",
                "signal container/egress-proxy files-copied",
                "drift file-changed container/egress-proxy: /etc/egress-proxy/routes.yaml is not as it was put there",
            ]
        ) { world in
            try world.edit("/etc/egress-proxy/routes.yaml", in: proxy) { node in
                node.kind = .file((node.content ?? []).map { $0 == UInt8(ascii: "a") ? UInt8(ascii: "b") : $0 })
            }
        },
        Row(
            "the same, and only the firewall is under suspicion",
            isHealed: false,
            reading: [.firewall],
            plan: []
        ) { world in
            try world.edit("/etc/egress-proxy/routes.yaml", in: proxy) { node in
                node.kind = .file((node.content ?? []).map { $0 == UInt8(ascii: "a") ? UInt8(ascii: "b") : $0 })
            }
        },
        Row(
            "a file was given to another user",
            reading: [.firewall],
            plan: [
                "copy container/firewall file-changed /etc/firewall/allowlist",
                "signal container/firewall files-copied",
                "drift file-changed container/firewall: /etc/firewall/allowlist is not as it was put there",
            ]
        ) { world in
            try world.edit("/etc/firewall/allowlist", in: wall) { $0.uid = 1234 }
        },
        Row(
            "a file was given to another group",
            reading: Set(Role.allCases),
            plan: [
                "stop container/egress-proxy file-changed",
                "copy container/egress-proxy file-changed /etc/egress-proxy/ca.pem",
                "start container/egress-proxy files-copied",
                "drift file-changed container/egress-proxy: /etc/egress-proxy/ca.pem is not as it was put there",
            ]
        ) { world in
            try world.edit("/etc/egress-proxy/ca.pem", in: proxy) { $0.gid = 0 }
        },
        Row(
            "a file of the agent was edited, and given the old size and time again",
            reading: Set(Role.allCases),
            plan: [
                "copy container/agent file-changed /etc/bottle/prompt.md",
                "drift file-changed container/agent: /etc/bottle/prompt.md is not as it was put there",
            ]
        ) { world in
            try world.edit("/etc/bottle/prompt.md", in: agent) { $0.kind = .file(Array("Do ti.".utf8)) }
        },
        Row(
            "a file that is not read again was edited",
            plan: [
                "stop container/egress-proxy file-changed",
                "copy container/egress-proxy file-changed /etc/egress-proxy/ca.pem",
                "start container/egress-proxy files-copied",
                "drift file-changed container/egress-proxy: /etc/egress-proxy/ca.pem is not as it was put there",
            ]
        ) { world in
            _ = try world.exec(proxy, .write("X", to: "/etc/egress-proxy/ca.pem"))
        },
        Row(
            "a file was removed",
            plan: [
                "copy container/firewall file-missing /etc/firewall/allowlist",
                "signal container/firewall files-copied",
                "drift file-missing container/firewall: /etc/firewall/allowlist is gone",
            ]
        ) { world in
            _ = try world.exec(wall, .remove("/etc/firewall/allowlist"))
        },
        Row(
            "a file of the agent was edited",
            plan: [
                "copy container/agent file-changed /etc/bottle/prompt.md",
                "drift file-changed container/agent: /etc/bottle/prompt.md is not as it was put there",
            ]
        ) { world in
            _ = try world.exec(agent, .write("Do something else.", to: "/etc/bottle/prompt.md"))
        },
        Row(
            "a file's mode was changed",
            plan: [
                "stop container/egress-proxy file-changed",
                "copy container/egress-proxy file-changed /etc/egress-proxy/ca.pem",
                "start container/egress-proxy files-copied",
                "drift file-changed container/egress-proxy: /etc/egress-proxy/ca.pem is not as it was put there",
            ]
        ) { world in
            _ = try world.exec(proxy, .changeMode(0o666, of: "/etc/egress-proxy/ca.pem"))
        },
        Row(
            "the files are right, but others are loaded that allow more",
            plan: [
                "restart container/firewall permission-withdrawn",
                "drift other-generation container/firewall: has not loaded the files it was given",
            ]
        ) { world in
            let path = "/etc/firewall/allowlist"
            try load("evil.example.com 443\n", path, in: wall, &world)
        },
        Row(
            "the files are right, but others are loaded at a sidecar that closes what is live by itself",
            plan: [
                "signal container/egress-proxy other-generation",
                "drift other-generation container/egress-proxy: has not loaded the files it was given",
            ]
        ) { world in try load("{}", "/etc/egress-proxy/routes.yaml", in: proxy, &world) },
        Row(
            "limits were changed",
            plan: [
                "update container/egress-proxy limits-changed",
                "drift limits-changed container/egress-proxy: has other limits",
            ]
        ) { world in
            _ = try world.update(proxy, ContainerUpdate(nanoCPUs: 1_000_000_000, pidsLimit: 4096))
        },
        Row(
            "sidecars have the memory that an earlier version gave them",
            plan: [
                "update container/firewall limits-changed",
                "update container/egress-proxy limits-changed",
                "drift limits-changed container/firewall: has other limits",
                "drift limits-changed container/egress-proxy: has other limits",
            ]
        ) { world in
            _ = try world.update(proxy, ContainerUpdate(memory: 512 << 20, memorySwap: 512 << 20))
            _ = try world.update(wall, ContainerUpdate(memory: 256 << 20, memorySwap: 256 << 20))
        },
        Row(
            "the memory of the agent was changed",
            plan: [
                "update container/agent limits-changed",
                "drift limits-changed container/agent: has other limits",
            ]
        ) { world in
            _ = try world.update(agent, ContainerUpdate(memory: 8 << 30, memorySwap: 8 << 30))
        },
        Row(
            "the restart policy was changed",
            plan: [
                "update container/firewall limits-changed",
                "drift limits-changed container/firewall: would be started again by the engine itself",
            ]
        ) { world in
            _ = try world.update(wall, ContainerUpdate(restartPolicy: .init(name: "always")))
        },
        Row(
            "a secret was rotated",
            isHealed: false,
            secret: "another",
            plan: [
                "remove container/egress-proxy spec-changed",
                "create container/egress-proxy spec-changed",
                "drift spec-changed container/egress-proxy: was made from another description",
            ]
        ) { _ in },
        Row(
            "the image of a sidecar moved",
            isHealed: false,
            plan: [
                "remove container/firewall image-changed",
                "create container/firewall image-changed",
                "drift image-changed container/firewall: runs another image than its name stands for now",
            ]
        ) { world in
            try world.move("bottle/firewall")
        },
        Row(
            "the image of the agent moved",
            isHealed: false,
            plan: [
                "drift image-changed container/agent: is not what its unchanged description would be made into now",
                "finding replacement-pending image-changed",
            ]
        ) { world in
            try world.move("bottle/agent")
        },
        Row("the agent ended well", isHealed: false, plan: ["finding agent-ended 0"]) { try $0.exit(agent, code: 0) },
        Row("the agent failed", isHealed: false, plan: ["finding agent-ended 2"]) { try $0.exit(agent, code: 2) },
        Row(
            "the agent that is always to run ended",
            restart: .always,
            plan: ["start container/agent ended"]
        ) { try $0.exit(agent, code: 0) },
        Row(
            "the agent that is to run again when it fails failed",
            restart: .onFailure,
            plan: ["start container/agent ended"]
        ) { try $0.exit(agent, code: 2) },
        Row(
            "all containers stopped, and the agent is always to run",
            restart: .always,
            plan: [
                "start container/firewall stopped",
                "start container/egress-proxy stopped",
                "start container/agent ended",
                "drift stopped container/firewall: has stopped",
                "drift stopped container/egress-proxy: has stopped",
            ]
        ) { world in
            for name in [agent, proxy, wall] { try world.exit(name, code: 137) }
        },
        Row(
            "all containers stopped, as after a reboot",
            isHealed: false,
            plan: [
                "start container/firewall stopped",
                "start container/egress-proxy stopped",
                "drift stopped container/firewall: has stopped",
                "drift stopped container/egress-proxy: has stopped",
                "finding agent-ended 137",
            ]
        ) { world in
            for name in [agent, proxy, wall] { try world.exit(name, code: 137) }
        },
        Row(
            "all containers are gone",
            plan: [
                "create container/firewall missing",
                "create container/egress-proxy missing",
                "create container/agent missing",
                "drift missing container/firewall: is gone",
                "drift missing container/egress-proxy: is gone",
                "drift missing container/agent: is gone",
            ]
        ) { world in
            for name in [agent, proxy, wall] { try world.remove(name, force: true) }
        },
        Row(
            "everything is gone but the agent's work",
            plan: [
                "create network/internal missing",
                "create network/link missing",
                "create network/egress missing",
                "create volume/bottle-dev-egress-proxy-config missing",
                "create volume/bottle-dev-egress-proxy-run missing",
                "create volume/bottle-dev-firewall-config missing",
                "create volume/bottle-dev-firewall-run missing",
                "create container/firewall missing",
                "create container/egress-proxy missing",
                "create container/agent missing",
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
            "a volume and its container are gone",
            plan: [
                "create volume/bottle-dev-firewall-run missing",
                "create container/firewall missing",
                "drift missing container/firewall: is gone",
                "drift missing volume/bottle-dev-firewall-run: is gone",
            ]
        ) { world in
            try world.remove(wall, force: true)
            try world.removeVolume("bottle-dev-firewall-run")
        },
    ]

    /// Has a sidecar load other content, and puts the right file back without a word.
    private static func load(_ text: String, _ path: String, in container: String, _ world: inout EngineState) throws {
        let before = try world.look(path, in: container)
        _ = try world.exec(container, .write(text, to: path))
        try world.kill(container, signal: "SIGHUP")
        for _ in 0..<10 { world.pass() }
        try world.edit(path, in: container) { $0 = before }
    }

    @Test("is planned for exactly, and healed with nothing else touched", arguments: rows)
    func heal(_ row: Row) async throws {
        let bed = try await LoopBed.converged(Sample.edited { $0.agent.restart = row.restart })
        let before = await bed.engine.world
        await bed.engine.watch { _ in [] }
        try await bed.engine.change(row.damage)
        let damaged = await bed.engine.world
        let credentials = Sample.credentials(secret: row.secret)
        let plan = try await bed.plan(credentials: credentials, reading: row.reading)
        let told =
            plan.actions.map(\.text) + plan.drift.map { "drift \($0.kind.rawValue) \($0.object): \($0.cause)" }
            + plan.findings.map { "finding \($0.text)" }
        #expect(told == row.plan)

        let faults = FaultInjector()
        let result = try await bed.run(
            on: FaultyEngine(bed.engine, faults: faults),
            credentials: credentials,
            reading: row.reading
        )
        #expect(result.drift == plan.drift)
        let after = await bed.engine.world
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
            #expect(try await bed.plan(credentials: credentials, reading: row.reading).isEmpty)
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

extension Finding {
    /// The finding without ids.
    fileprivate var text: String {
        switch self {
        case .nameTaken(let object, _, _): "name-taken \(object)"
        case .replacementPending(let reason): "replacement-pending \(reason.rawValue)"
        case .agentEnded(let code): "agent-ended \(code)"
        case .foreignContainer(let name, let network): "foreign-container \(name) \(network.rawValue)"
        default: "\(self)"
        }
    }
}
