import ReconcilerEngine
import ReconcilerModel
import ReconcilerTime

/// The network of a restricted build's steps: loopback only, plus a way out if the settings allow any host.
///
/// Its objects are short-lived and no part of the bottle. If the process dies, `clear` removes them: the next build of
/// the bottle, its next pass and its deletion call it.
struct BuildSandbox: Sendable {
    let engine: any EngineWriting
    let identity: Identity
    let installation: InstallationID
    /// What the waits are measured by.
    var time = TimeSource.system

    private var labels: [String: String] { Labels.ofBuild(for: identity, installation: installation) }
    private var filter: [String] {
        ["\(Labels.build)=\(identity)", "\(Labels.installation)=\(installation)"]
    }

    /// Whether `inventory` shows anything of a build for this bottle.
    static func isThere(for identity: Identity, installation: InstallationID, in inventory: Inventory) -> Bool {
        let networks = inventory.networks.map(\.labels)
        let labels = inventory.containers.map(\.labels) + networks + inventory.volumes.map(\.labels)
        return labels.contains { $0[Labels.build] == identity.name && $0[Labels.installation] == installation.text }
    }

    // MARK: - Opening

    /// Starts the container whose network the steps share: one that reaches nothing.
    ///
    /// - Returns: the network mode of the steps.
    func openShut(image: String) async throws -> String {
        let id = try await run("steps", image, command: ["sleep", "infinity"], network: "none")
        return Self.mode(of: id)
    }

    /// Starts squid and the relays, and waits until a step could reach what is listed.
    ///
    /// - Parameters:
    ///   - inner: the network between the second relay and squid, and its addresses.
    ///   - outer: the network by which squid leaves.
    /// - Returns: the network mode of the steps.
    func open(
        image: String,
        egress: EgressSpec,
        allow: [HostPattern],
        inner: (id: NetworkID, addresses: AddressPlan),
        outer: String
    ) async throws -> String {
        guard let address = inner.addresses.address(of: .firewall, on: .internal) else {
            throw BottleError(.addressMissing, "no addresses are planned for the build", at: identity.name)
        }
        let squid = try await startSquid(image, egress, allow, on: (inner.id, address), outer)
        let volume = Names.build(identity)
        _ = try await engine.createVolume(name: volume, labels: labels)
        let shared = [Mount(type: .volume, source: volume, target: BuildProxy.folder)]
        let relay = BuildProxy.outer(to: address)
        let second = try await run("relay", image, command: relay.command, network: inner.id.text, mounts: shared)
        let first = try await run("steps", image, command: BuildProxy.inner.command, network: "none", mounts: shared)
        try await wait(for: relay.ready, in: second)
        try await wait(for: BuildProxy.inner.ready, in: first)
        let file = BuildProxy.allowlist(allow)
        if let generation = Generation.digest(of: [file]) {
            try await LoadWatcher(engine: engine, patience: .seconds(30)).confirm(
                generation,
                of: [file],
                by: squid,
                name: Names.build(identity, "squid")
            )
        }
        return Self.mode(of: first)
    }

    private static func mode(of container: ContainerID) -> String { "container:\(container)" }

    private func startSquid(
        _ image: String,
        _ egress: EgressSpec,
        _ allow: [HostPattern],
        on inner: (id: NetworkID, address: IPv4Address),
        _ outer: String
    ) async throws -> ContainerID {
        let variables = BuildProxy.environment(listeningAt: inner.address, egress: egress)
        // Anonymous volumes: they go with the container.
        let mounts = [BuildProxy.configFolder, BuildProxy.folder].map { Mount(type: .volume, target: $0) }
        let id = try await make(
            "squid",
            image,
            environment: variables.map { "\($0.key)=\($0.value)" }.sorted(),
            network: inner.id.text,
            address: inner.address,
            mounts: mounts,
            extraHosts: egress.hostEntries,
            sysctls: BuildProxy.kernelParameters
        )
        try await engine.connect(network: outer, container: id.text, endpoint: EndpointCreate())
        // The engine unpacks nothing in a read-only root, but does in a volume.
        let archive = try [BuildProxy.allowlist(allow)].archive(below: BuildProxy.configFolder)
        try await engine.putArchive(container: id.text, path: BuildProxy.configFolder, .bytes(archive))
        try await engine.start(id.text)
        return id
    }

    private func run(
        _ part: String,
        _ image: String,
        command: [String],
        network: String,
        mounts: [Mount] = []
    ) async throws -> ContainerID {
        let id = try await make(part, image, command: command, network: network, mounts: mounts)
        try await engine.start(id.text)
        return id
    }

    private func make(
        _ part: String,
        _ image: String,
        command: [String]? = nil,
        environment: [String]? = nil,
        network: String,
        address: IPv4Address? = nil,
        mounts: [Mount],
        extraHosts: [String]? = nil,
        sysctls: [String: String]? = nil
    ) async throws -> ContainerID {
        let request = ContainerCreate(
            config: ContainerConfig(image: image, environment: environment, command: command, labels: labels),
            hostConfig: HostConfig(
                networkMode: network,
                dropCapabilities: ["ALL"],
                securityOptions: ["no-new-privileges"],
                isPrivileged: false,
                readOnlyRoot: true,
                memory: 256 << 20,
                memorySwap: 256 << 20,
                nanoCPUs: 1_000_000_000,
                pidsLimit: 256,
                ulimits: [.init(name: "core", soft: 0, hard: 0), .init(name: "nofile", soft: 4096, hard: 8192)],
                logging: .init(type: "json-file", options: ["max-size": "1048576", "max-file": "1"]),
                restartPolicy: .init(name: "no"),
                mounts: mounts,
                tmpfs: BuildProxy.memoryFolders,
                // Nothing listens at this address. The steps share this container's resolver file.
                dns: part == "squid" ? nil : ["127.0.0.1"],
                dnsOptions: part == "squid" ? nil : ["timeout:1", "attempts:1"],
                extraHosts: extraHosts,
                sysctls: sysctls
            ),
            endpoints: network == "none" ? [:] : [network: EndpointCreate(ipv4: address?.description)]
        )
        return ContainerID(try await engine.createContainer(name: Names.build(identity, part), request).id)
    }

    private func wait(for file: String, in container: ContainerID) async throws {
        let deadline = time.instant().advanced(by: .seconds(30))
        while try await engine.stat(container: container.text, path: file) == nil {
            let details = try await engine.container(container.text)
            guard details.state.isRunning, time.instant() < deadline else {
                throw BottleError(
                    .buildExitFailed,
                    "the way out of the build did not come up",
                    at: details.name,
                    remedy: "see whether the firewall's image is the one that comes with this program",
                    cause: details.state.isRunning ? nil : "ended with status \(details.state.exitCode)"
                )
            }
            try await time.sleep(for: .milliseconds(20))
        }
    }

    // MARK: - Networks

    /// Makes the networks of a build from free addresses: the one between relay and squid and, unless the manifest
    /// names an existing egress network, squid's own way out.
    ///
    /// The caller holds the lock for what bottles share.
    func makeNetworks(
        withExit: Bool,
        pool: IPv4Block,
        reserved: [IPv4Block]
    ) async throws -> (inner: NetworkID, outer: String?, addresses: AddressPlan) {
        var avoided: [IPv4Block] = []
        while true {
            let inventory = try await Inventory.take(from: engine)
            var plan = AddressPlan()
            try plan.assign(
                [.internal] + (withExit ? [.egress] : []),
                from: pool,
                avoiding: inventory.usedBlocks(exceptOf: []) + reserved + avoided,
                startingAt: UInt64.random(in: 0...UInt64(UInt32.max))
            )
            do {
                let inner = try await makeNetwork(Names.build(identity), plan[.internal], isInternal: true)
                guard withExit else { return (inner, nil, plan) }
                let outer = Names.build(identity, "out")
                return (inner, try await makeNetwork(outer, plan[.egress], isInternal: false).text, plan)
            } catch let error as EngineError where error.status == 403 && avoided.count < 32 {
                // The addresses overlap with something on the engine's host that no list shows.
                avoided += plan.all
                try await removeNetworks()
            }
        }
    }

    private func makeNetwork(_ name: String, _ block: IPv4Block?, isInternal: Bool) async throws -> NetworkID {
        let options = DesiredNetwork(role: .internal, name: name, subnet: block, isInternal: isInternal).options
        let id = try await engine.createNetwork(
            NetworkCreate(
                name: name,
                isInternal: isInternal,
                enableIPv6: false,
                ipam: IPAM(pools: [.init(subnet: block?.description)]),
                options: options,
                labels: labels
            )
        )
        return NetworkID(id)
    }

    // MARK: - Clearing

    /// Removes everything of a build for this bottle, its steps first.
    ///
    /// A container in our network is a step of the build, with or without our labels.
    func clear() async throws {
        let ours = try await engine.containers(labels: filter, all: true)
        let modes = Set(ours.map { Self.mode(of: ContainerID($0.id)) })
        try await removeSteps(modes)
        for container in ours { try await remove(ContainerID(container.id)) }
        // A running builder may have added a step meanwhile; from now on it can't.
        try await removeSteps(modes)
        try await removeNetworks()
        for volume in try await engine.volumes(labels: filter) {
            try await tolerating { () async throws(EngineError) in try await engine.removeVolume(volume.name) }
        }
    }

    private func removeNetworks() async throws {
        for network in try await engine.networks(labels: filter) {
            try await tolerating { () async throws(EngineError) in try await engine.removeNetwork(network.id) }
        }
    }

    private func removeSteps(_ modes: Set<String>) async throws {
        guard !modes.isEmpty else { return }
        for step in try await engine.containers(labels: [], all: true) where modes.contains(step.networkMode) {
            try await remove(ContainerID(step.id))
        }
    }

    private func remove(_ container: ContainerID) async throws {
        try await tolerating { () async throws(EngineError) in
            try await engine.remove(container.text, force: true, volumes: true)
        }
        // The engine or another client may be removing it already.
        let deadline = time.instant().advanced(by: .seconds(10))
        while time.instant() < deadline {
            do {
                _ = try await engine.container(container.text)
            } catch {
                guard error.isNotFound else { throw error }
                return
            }
            try await time.sleep(for: .milliseconds(50))
        }
    }

    private func tolerating(_ call: () async throws(EngineError) -> Void) async throws {
        do {
            try await call()
        } catch {
            guard error.isNotFound || error.isConflict else { throw error }
        }
    }
}
