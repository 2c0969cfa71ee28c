extension DesiredBottle {
    /// Renders a resolved manifest into everything that must exist.
    ///
    /// Pure: the same input renders the same bottle.
    /// - Throws: `BottleError` when the manifest asks for what can't be rendered: `not-built-yet`, `home-unknown`,
    ///   `address-missing`, `image-missing`.
    package init(rendering input: RenderInput) throws {
        let manifest = input.manifest
        let topology = Topology(manifest)
        let containers = try topology.roles.map { role in
            try Sidecars[role]?.container(input, topology) ?? Agent.container(input, topology)
        }
        let networks = try topology.networks.map { role in
            let external = role == .egress ? topology.externalEgress : nil
            return DesiredNetwork(
                role: role,
                name: external ?? Names.network(manifest.identity, role),
                subnet: external == nil ? try input.block(of: role) : nil,
                isInternal: role != .egress
            )
        }
        let prefix = Names.volume(manifest.identity, "")
        // The home volume is desired even while its place in the container is unknown.
        let mounted = containers.flatMap(\.spec.mounts).map(\.volume) + [Names.volume(manifest.identity, "home")]
        let volumes = Set(mounted).map { name in
            DesiredVolume(name: name, purpose: String(name.dropFirst(prefix.count)))
        }
        self.init(
            identity: manifest.identity,
            revision: input.revision,
            images: topology.roles.compactMap { input.images[$0]?.desired },
            networks: networks,
            volumes: volumes.sorted { $0.name < $1.name },
            containers: containers
        )
    }
}

extension RenderInput {
    func block(of network: NetworkRole) throws -> IPv4Block {
        guard let block = addresses[network] else {
            throw BottleError(.addressMissing, "no addresses are planned for the \(network.rawValue) network")
        }
        return block
    }

    func address(of role: Role, on network: NetworkRole) throws -> IPv4Address {
        guard let address = addresses.address(of: role, on: network) else {
            throw BottleError(
                .addressMissing,
                "no address is planned for \(role.rawValue) on the \(network.rawValue) network"
            )
        }
        return address
    }

    /// A container with its fingerprints, which are made here and nowhere else.
    func container(
        _ role: Role,
        topology: Topology,
        spec: ContainerSpec,
        limits: Resources,
        files: [DesiredFile],
        isSpecKnown: Bool = true
    ) throws -> DesiredContainer {
        guard let image = images[role] else {
            throw BottleError(.imageMissing, "no image is named for \(role.rawValue)")
        }
        let endpoints = topology.networks(of: role).enumerated().map { index, network in
            DesiredContainer.Endpoint(
                network: network,
                address: addresses.address(of: role, on: network),
                // An alias only where its clients are: the first network.
                aliases: index == 0 ? [role.rawValue] : []
            )
        }
        var spec = spec
        spec.limited = limits.names
        let intent = HashedSpec(image: image.desired.intent, spec: spec)
        var hash: SpecHash?
        if isSpecKnown, let id = image.id { hash = try SpecHash(of: HashedSpec(image: id, spec: spec)) }
        return DesiredContainer(
            role: role,
            name: Names.container(manifest.identity, role),
            reference: image.desired.reference,
            imageID: image.id,
            spec: spec,
            specHash: hash,
            intentHash: try SpecHash(of: intent),
            limits: limits,
            endpoints: endpoints,
            files: files,
            exitRank: topology.exits.firstIndex(of: role)
        )
    }

    private struct HashedSpec: Encodable {
        var image: String
        var spec: ContainerSpec
    }
}
