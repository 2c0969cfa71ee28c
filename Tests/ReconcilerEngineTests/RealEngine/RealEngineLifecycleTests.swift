import EngineTestSupport
import ReconcilerEngine
import Testing

@Suite("Objects of a real engine", .enabled { await RealEngine.isWanted() })
struct RealEngineLifecycleTests {
    @Test("the engine says what it is and what it speaks")
    func system() async throws {
        try await RealEngine.run { fixture in
            let ping = try await fixture.engine.ping()
            let offered = try #require(APIVersion(ping.apiVersion))
            #expect(fixture.engine.apiVersion == min(offered, .maximum))
            #expect(ping.osType == "linux")
            #expect(try await fixture.engine.version().apiVersion == ping.apiVersion)
            let info = try await fixture.engine.info()
            #expect(info.runtimes.keys.contains(info.defaultRuntime))
            #expect(info.securityOptions.contains { $0.hasPrefix("name=seccomp") })
            #expect(info.cpus > 0 && info.memory > 0 && !info.id.isEmpty)
        }
    }

    @Test("a hardened container is created, found by its label, inspected, run, changed and removed")
    func container() async throws {
        try await RealEngine.run { fixture in
            let engine = fixture.engine
            let volume = try await fixture.volume()
            let host = HostConfig(
                networkMode: "none",
                initProcess: true,
                dropCapabilities: ["ALL"],
                securityOptions: ["no-new-privileges:true"],
                readOnlyRoot: true,
                memory: 64 << 20,
                memorySwap: 64 << 20,
                nanoCPUs: 500_000_000,
                pidsLimit: 50,
                ulimits: [HostConfig.Ulimit(name: "nofile", soft: 1024, hard: 2048)],
                logging: HostConfig.LogConfig(type: "json-file", options: ["max-size": "1m", "max-file": "2"]),
                restartPolicy: HostConfig.RestartPolicy(name: "unless-stopped"),
                mounts: [
                    Mount(type: .volume, source: volume, target: "/data"),
                    Mount(type: .tmpfs, target: "/tmp", tmpfsOptions: Mount.TmpfsOptions(size: 1 << 20, mode: 0o1777)),
                ],
                dns: ["127.0.0.1"],
                dnsOptions: ["timeout:1"],
                extraHosts: ["proxy:10.1.2.3"]
            )
            let id = try await fixture.container(user: "1000:1000", host: host)

            let made = try await engine.container(id)
            #expect(made.id == id)
            #expect(made.name.hasPrefix("engtest-c-"))
            #expect(made.state.status == "created" && made.state.startedAt == nil && made.createdAt != nil)
            #expect(made.config.user == "1000:1000")
            #expect(made.config.command == ["sleep", "600"])
            #expect(made.hostConfig.dropCapabilities == ["ALL"])
            #expect(made.hostConfig.readOnlyRoot == true)
            #expect(made.hostConfig.memory == 64 << 20)
            #expect(made.hostConfig.pidsLimit == 50)
            #expect(made.hostConfig.mounts == host.mounts)
            #expect(made.hostConfig.logging == host.logging)
            #expect(made.hostConfig.ulimits == host.ulimits)

            try await engine.start(id)
            #expect(await failure { try await engine.start(id) }?.isNotModified == true)
            let listed = try await engine.containers(labels: ["\(RealEngine.label)=\(made.name)"], all: false)
            #expect(listed.map(\.id) == [id])
            #expect(listed.first?.names == [made.name])
            #expect(listed.first?.state == "running")
            #expect(listed.first?.imageID == made.imageID)
            #expect(listed.first?.mounts.contains { $0.name == volume && $0.destination == "/data" } == true)

            try await engine.freeze(id)
            #expect(try await engine.container(id).state.isPaused)
            try await engine.unpause(id)
            _ = try await engine.update(id, ContainerUpdate(memory: 32 << 20, memorySwap: 32 << 20, pidsLimit: 40))
            let changed = try await engine.container(id)
            #expect(changed.hostConfig.memory == 32 << 20)
            #expect(changed.hostConfig.pidsLimit == 40)
            #expect(changed.hostConfig.nanoCPUs == 500_000_000)

            let name = fixture.name("renamed")
            try await engine.rename(id, to: name)
            #expect(try await engine.container(name).id == id)
            #expect(await failure { try await engine.remove(id, force: false, volumes: false) }?.isConflict == true)
            try await engine.stop(id, timeout: 1)
            #expect(await failure { try await engine.stop(id) }?.isNotModified == true)
            #expect(try await engine.container(id).state.finishedAt != nil)
            try await engine.remove(id, force: false, volumes: false)
            #expect(await failure { _ = try await engine.container(id) }?.isNotFound == true)
        }
    }

    @Test("a used container name is a conflict that names the holder")
    func usedName() async throws {
        try await RealEngine.run { fixture in
            let id = try await fixture.container()
            let name = try await fixture.engine.container(id).name
            let error = await failure {
                let config = ContainerConfig(image: RealEngine.image)
                _ = try await fixture.engine.createContainer(name: name, ContainerCreate(config: config))
            }
            #expect(error?.isConflict == true)
            #expect(error?.description.contains(id) == true)
        }
    }

    @Test("a killed container's exit code comes from waiting for it")
    func wait() async throws {
        try await RealEngine.run { fixture in
            let id = try await fixture.container(command: ["sh", "-c", "trap 'exit 7' TERM; sleep 600 & wait"])
            try await fixture.engine.start(id)
            async let code = fixture.engine.wait(id)
            try await Task.sleep(for: .milliseconds(300))
            try await fixture.engine.kill(id, signal: "SIGTERM")
            #expect(try await code == 7)
            #expect(try await fixture.engine.container(id).state.exitCode == 7)
        }
    }

    @Test("a network with a planned address is made once, joined with aliases, left and removed")
    func network() async throws {
        try await RealEngine.run { fixture in
            let engine = fixture.engine
            let pool = IPAM.Pool(subnet: "10.213.77.0/28")
            let network = try await fixture.network { create in
                create.ipam = IPAM(pools: [pool])
                create.options = ["com.docker.network.bridge.inhibit_ipv4": "true"]
            }
            let twin = await failure { _ = try await engine.createNetwork(NetworkCreate(name: network.name)) }
            #expect(twin?.isConflict == true)

            let listed = try await engine.networks(labels: ["\(RealEngine.label)=\(network.name)"])
            #expect(listed.map(\.id) == [network.id])
            #expect(listed.first?.isInternal == true)
            #expect(listed.first?.ipam.pools.first?.subnet == pool.subnet)
            #expect(listed.first?.options["com.docker.network.bridge.inhibit_ipv4"] == "true")
            #expect(try await engine.networks().contains { $0.name == "bridge" })

            let id = try await fixture.container()
            try await engine.disconnect(network: "none", container: id, force: false)
            let endpoint = EndpointCreate(ipv4: "10.213.77.5", aliases: ["proxy"])
            try await engine.connect(network: network.id, container: id, endpoint: endpoint)
            try await engine.start(id)
            let place = try #require(try await engine.container(id).networks[network.name])
            #expect(place.ipAddress == "10.213.77.5")
            #expect(place.networkID == network.id)
            #expect(place.aliases.contains("proxy"))
            #expect(place.addressing?.ipv4Address == "10.213.77.5")
            #expect(try await engine.network(network.name).containers[id]?.ipv4Address == "10.213.77.5/28")

            #expect(await failure { try await engine.removeNetwork(network.id) }?.status == 403)
            try await engine.disconnect(network: network.id, container: id, force: true)
            #expect(try await engine.container(id).networks[network.name] == nil)
        }
    }

    @Test("a container joins the network that its creation names, at its address")
    func networkAtCreation() async throws {
        try await RealEngine.run { fixture in
            let network = try await fixture.network { $0.ipam = IPAM(pools: [IPAM.Pool(subnet: "10.213.77.16/28")]) }
            let id = try await fixture.container(
                host: HostConfig(networkMode: network.name),
                endpoints: [network.name: EndpointCreate(ipv4: "10.213.77.20", aliases: ["a", "b"])]
            )
            try await fixture.engine.start(id)
            let listed = try await fixture.engine.containers(labels: [RealEngine.label], all: true)
            let place = listed.first { $0.id == id }?.networks[network.name]
            #expect(place?.ipAddress == "10.213.77.20")
            #expect(place?.networkID == network.id)
        }
    }

    @Test("a volume is made with its labels, found by them, and refused removal while it is used")
    func volume() async throws {
        try await RealEngine.run { fixture in
            let engine = fixture.engine
            let name = try await fixture.volume()
            let listed = try await engine.volumes(labels: ["\(RealEngine.label)=\(name)"])
            #expect(listed.map(\.name) == [name])
            #expect(try await engine.volume(name).labels == [RealEngine.label: name])
            let mount = Mount(type: .volume, source: name, target: "/data")
            _ = try await fixture.container(host: HostConfig(networkMode: "none", mounts: [mount]))
            #expect(await failure { try await engine.removeVolume(name) }?.isConflict == true)
            #expect(await failure { _ = try await engine.volume("engtest-none") }?.isNotFound == true)
        }
    }
}
