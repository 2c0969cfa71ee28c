import ModelTestSupport
import ReconcilerModel

/// A bottle as the engine would show it, and what our record says of it; a test changes either and plans.
struct PlannerFixture {
    var manifest: BottleManifest
    /// The number of the desired state's revision; each edit adds one.
    private var revision = 1
    var fingerprints: [SecretReference: String] = [:]
    /// Build contexts that came with the program.
    var contexts: [Role: ContentDigest] = [:]

    var containers: [ObservedContainer] = []
    var networks: [ObservedNetwork] = []
    var volumes: [ObservedVolume] = []
    var images: [ImageReference: ObservedImage] = [:]
    var record: BottleRecord

    /// Nothing of the bottle was made yet, not even its images.
    init(_ manifest: BottleManifest) {
        self.manifest = manifest
        record = BottleRecord(identity: manifest.identity, installation: SampleManifest.installation)
        for (name, block) in [("bridge", "172.17.0.0/16"), ("corp", "10.50.0.0/24")] {
            let subnet = SampleManifest.known(try IPv4Block(block))
            networks.append(ObservedNetwork(id: NetworkID("n-\(name)"), name: name, subnets: [subnet]))
        }
    }

    /// Everything is as `manifest` wants it.
    static func converged(_ manifest: BottleManifest) throws -> PlannerFixture {
        var fixture = PlannerFixture(manifest)
        fixture.bringImages()
        let desired = try fixture.desired()
        for network in desired.networks where !network.isExternal {
            let id = "n-\(network.role.rawValue)"
            fixture.record.ids[network.name] = id
            fixture.networks.append(
                ObservedNetwork(
                    id: NetworkID(id),
                    name: network.name,
                    labels: fixture.labels(network.role.rawValue),
                    isInternal: network.isInternal,
                    subnets: [network.subnet].compactMap { $0 },
                    options: network.options
                )
            )
        }
        fixture.volumes = desired.volumes.map { ObservedVolume(name: $0.name, labels: fixture.labels($0.purpose)) }
        fixture.containers = desired.containers.map { fixture.running($0, in: desired) }
        for container in fixture.containers { fixture.record.ids[container.name] = container.id.text }
        let own = desired.networks.filter { !$0.isExternal }.map(\.name)
        fixture.record.names = (desired.containers.map(\.name) + own + desired.volumes.map(\.name)).sorted()
        fixture.record.converged = .init(desired)
        fixture.record.agentIntent = desired.container(.agent)?.intentHash.text
        for container in desired.containers {
            guard let generation = container.generation else { continue }
            fixture.record.permissions[container.role.rawValue] = [generation.hex: container.permissions]
        }
        return fixture
    }

    /// Every image of the bottle is there.
    mutating func bringImages() {
        for role in Topology(manifest).roles {
            let image = image(role)
            let labels = image.context.map { [DesiredImage.contextLabel: $0.hex] } ?? [:]
            images[image.reference] = ObservedImage(id: "sha256:\(role.rawValue)", labels: labels)
        }
    }

    private func running(_ wanted: DesiredContainer, in desired: DesiredBottle) -> ObservedContainer {
        var container = ObservedContainer(
            id: ContainerID("c-\(wanted.role.rawValue)"),
            name: wanted.name,
            labels: labels(wanted.role.rawValue, wanted.specHash),
            imageID: wanted.imageID ?? "",
            limits: wanted.limits,
            confinement: Confinement(wanted.spec),
            endpoints: wanted.endpoints.compactMap { endpoint in
                guard let name = desired.network(endpoint.network)?.name, let network = network(named: name) else {
                    return nil
                }
                return .init(
                    networkID: network.id,
                    networkName: name,
                    address: endpoint.address,
                    aliases: endpoint.aliases
                )
            },
            loaded: wanted.generation.map { LoadedGeneration(inForce: $0) }
        )
        container.put(wanted.files)
        return container
    }

    private func labels(_ role: String, _ hash: SpecHash? = nil) -> [String: String] {
        Labels.of(manifest.identity, role: role, installation: record.installation, specHash: hash)
    }

    // MARK: - Changes

    /// Commits an edit of the manifest.
    mutating func edit(_ change: (inout BottleManifest) -> Void) {
        change(&manifest)
        revision += 1
    }

    mutating func change(_ role: Role, _ body: (inout ObservedContainer) -> Void) {
        let name = Names.container(manifest.identity, role)
        for index in containers.indices where containers[index].name == name { body(&containers[index]) }
    }

    mutating func end(_ role: Role, exitCode: Int) {
        change(role) { container in
            container.state = .exited
            container.exitCode = exitCode
            container.loaded = nil
        }
    }

    func container(_ role: Role) -> ObservedContainer? {
        containers.first { $0.name == Names.container(manifest.identity, role) }
    }

    func network(named name: String) -> ObservedNetwork? { networks.first { $0.name == name } }

    // MARK: - Plans

    private func image(_ role: Role) -> DesiredImage {
        SampleManifest.image(role, in: manifest, contexts: contexts)
    }

    mutating func desired() throws -> DesiredBottle {
        let topology = Topology(manifest)
        let own = topology.ownNetworks.map { Names.network(manifest.identity, $0) }
        let used = networks.filter { !own.contains($0.name) }.flatMap(\.subnets)
        try record.addresses.assign(topology.ownNetworks, from: SampleManifest.pool, avoiding: used)
        let images = topology.roles.map { role in
            (role, RenderInput.Image(desired: image(role), id: self.images[image(role).reference]?.id))
        }
        return try DesiredBottle(
            rendering: SampleManifest.input(
                manifest,
                revision: SampleManifest.revision(revision),
                addresses: record.addresses,
                images: Dictionary(uniqueKeysWithValues: images),
                fingerprints: fingerprints
            )
        )
    }

    /// What the engine shows: no address of what doesn't live, and each managed file, there or not.
    func observed(_ desired: DesiredBottle) -> ObservedBottle {
        ObservedBottle(
            containers: containers.map { container in
                var container = container
                if let wanted = desired.containers.first(where: { $0.role == container.role }) {
                    for file in wanted.files where container.files[file.path] == nil {
                        container.files[file.path] = .some(nil)
                    }
                    if wanted.generation == nil || !container.isLiving { container.loaded = nil }
                }
                guard !container.isLiving else { return container }
                for index in container.endpoints.indices { container.endpoints[index].address = nil }
                return container
            },
            networks: networks,
            volumes: volumes,
            images: images
        )
    }

    /// The plan for what is there now.
    mutating func plan() throws -> Plan {
        let desired = try desired()
        return Planner.plan(desired: desired, observed: observed(desired), record: record)
    }
}

extension ObservedContainer {
    /// Has the files as they are wanted.
    mutating func put(_ wanted: [DesiredFile]) {
        for file in wanted {
            files[file.path] = ObservedFile(size: Int64(file.content.count), mode: file.mode, modified: file.stamp)
        }
    }
}

extension Confinement {
    /// Of a container that was made from `spec`, of an image that runs as `node` and asks for a volume.
    init(_ spec: ContainerSpec) {
        self.init(
            isRootReadOnly: spec.isRootReadOnly,
            mounts: spec.mounts.map { Mount(volume: $0.volume, target: $0.target) }
                + [Mount(volume: ContentDigest(of: "anonymous").hex, target: "/var/cache")],
            user: spec.user ?? "node",
            command: spec.command.isEmpty ? ["from-image"] : spec.command,
            environment: spec.environment
        )
    }
}
