package import ReconcilerEngine
package import ReconcilerModel
package import ReconcilerTime

/// Reads an `ObservedBottle` from the engine.
package struct Observer: Sendable {
    private let engine: any EngineReading

    package init(engine: any EngineReading) { self.engine = engine }

    /// The images of the given references; those the engine doesn't have are left out.
    package func images(_ references: Set<ImageReference>) async throws -> [ImageReference: ObservedImage] {
        try await withThrowingTaskGroup(of: (ImageReference, ObservedImage?).self) { group in
            for reference in references {
                group.addTask { (reference, try await image(reference)) }
            }
            var found: [ImageReference: ObservedImage] = [:]
            for try await (reference, image) in group { found[reference] = image }
            return found
        }
    }

    private func image(_ reference: ImageReference) async throws -> ObservedImage? {
        do {
            let details = try await engine.image(reference.text)
            return ObservedImage(id: details.id, labels: details.config.labels ?? [:])
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    /// What exists of `desired`: its containers by name, everything else with its labels, the state of every managed
    /// file, and the load confirmations.
    ///
    /// - Parameter reading: the containers whose files are read whole when a look from outside finds nothing wrong.
    ///   Reading a file takes about 50 ms, a look less than 1 ms.
    package func bottle(
        _ desired: DesiredBottle,
        installation: InstallationID,
        inventory: Inventory,
        images: [ImageReference: ObservedImage],
        reading: Set<Role> = []
    ) async throws -> ObservedBottle {
        let listed = inventory.containers(of: desired.identity, installation: installation)
        let names = desired.containers.map(\.name)
        let others = listed.filter { container in !container.names.contains { names.contains($0.withoutSlash) } }
        let references = names + others.map(\.id)
        let containers = try await withThrowingTaskGroup(of: ObservedContainer?.self) { group in
            for reference in references {
                group.addTask {
                    try await container(reference, desired: desired, installation: installation, reading: reading)
                }
            }
            return try await group.reduce(into: [ObservedContainer]()) { list, found in
                if let found { list.append(found) }
            }
        }
        return ObservedBottle(
            containers: containers.sorted { $0.name < $1.name },
            networks: inventory.networks.map(ObservedNetwork.init),
            volumes: try await volumes(desired, installation: installation, inventory: inventory),
            images: images,
            foreignContainers: foreignContainers(of: desired.identity, installation: installation, inventory: inventory)
        )
    }

    private func foreignContainers(
        of identity: Identity,
        installation: InstallationID,
        inventory: Inventory
    ) -> [ObservedForeignContainer] {
        (inventory.containers + inventory.others).filter { !isOf(identity, installation: installation, $0.labels) }
            .map { foreign in
                ObservedForeignContainer(
                    name: foreign.names.min() ?? foreign.id,
                    networks: Set(foreign.networks.values.compactMap { NetworkID(shown: $0.networkID) })
                )
            }
            .filter { !$0.networks.isEmpty }
            .sorted { $0.name < $1.name }
    }

    private func container(
        _ reference: String,
        desired: DesiredBottle,
        installation: InstallationID,
        reading: Set<Role>
    ) async throws -> ObservedContainer? {
        let details: ContainerDetails
        do {
            details = try await engine.container(reference)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
        var container = ObservedContainer(details)
        // By its role, not by its name: a renamed container is looked at too.
        guard let wanted = desired.containers.first(where: { $0.role == container.role }),
            isOf(desired.identity, installation: installation, container.labels)
        else { return container }
        container.confinement = Confinement(details, variables: wanted.spec.environment.keys)
        let id = container.id
        let looks = try await withThrowingTaskGroup(of: (String, Look).self) { group in
            for path in wanted.files.map(\.path) + links(of: wanted) {
                group.addTask { (path, try await look(at: path, in: id)) }
            }
            return try await group.reduce(into: [String: Look]()) { looks, look in looks[look.0] = look.1 }
        }
        for file in wanted.files { container.files[file.path] = .some(looks[file.path]?.file) }
        if reading.contains(wanted.role) { try await readFiles(of: wanted, &container) }
        if case .found(let link) = looks[LoadConfirmation.path], container.isLiving {
            container.loaded = LoadedGeneration(link, since: container.startedAt)
        }
        return container
    }

    /// The link to look at, for a container that confirms its files through one.
    private func links(of wanted: DesiredContainer) -> [String] {
        switch wanted.confirmation {
        case .none: []
        case .link: wanted.generation == nil ? [] : [LoadConfirmation.path]
        }
    }

    private func isOf(_ identity: Identity, installation: InstallationID, _ labels: [String: String]) -> Bool {
        labels[Labels.managedBy] == "bottle" && labels[Labels.installation] == installation.text
            && labels[Labels.identity] == identity.name
    }

    /// The result of a look at one path in a container.
    private enum Look: Sendable {
        case missing
        case found(PathStat)
        /// The engine answered, but could not say what is there.
        case refused

        var file: ObservedFile? {
            switch self {
            case .missing: nil
            case .found(let stat): ObservedFile(stat)
            case .refused: .unreadable
            }
        }
    }

    /// Looks at a path, which the container's own processes may have manipulated.
    ///
    /// They can make the engine refuse, with circular links or impossible times. A refusal means that the file is not
    /// ours, and must not stop the look at the rest of the bottle. A container that vanished since it was inspected has
    /// no files.
    private func look(at path: String, in container: ContainerID) async throws -> Look {
        do {
            return try await engine.stat(container: container.text, path: path).map(Look.found) ?? .missing
        } catch {
            if error.isNotFound { return .missing }
            switch error {
            case .http, .decoding, .limitExceeded: return .refused
            default: throw error
            }
        }
    }

    /// Reads the container's files that look right from outside: a program that edits a file can restore its old size
    /// and time.
    private func readFiles(of wanted: DesiredContainer, _ container: inout ObservedContainer) async throws {
        let id = container.id
        let alike = wanted.files.filter { container.files[$0.path]??.shows($0) == true }
        container.files = try await withThrowingTaskGroup(of: (String, ObservedFile?).self) { group in
            for file in alike { group.addTask { (file.path, try await read(file, in: id)) } }
            return try await group.reduce(into: container.files) { files, file in files[file.0] = .some(file.1) }
        }
    }

    /// A file that looks as wanted, with its content and owner: `GET /containers/{id}/archive`; nil when it is gone.
    ///
    /// A file that can't be read, or is larger than it should be, is not the one we put there. The archive has whole
    /// seconds only (seen on 20.10), so the time comes from the look.
    private func read(_ wanted: DesiredFile, in container: ContainerID) async throws -> ObservedFile? {
        do {
            let stream = try await engine.archive(container: container.text, path: wanted.path)
            guard let file = try await stream.tarFiles(upTo: wanted.content.count).first, file.entry.kind == .file
            else { return .unreadable }
            return ObservedFile(
                size: Int64(file.content.count),
                mode: file.entry.mode & 0o7777,
                modified: wanted.stamp,
                reading: .init(
                    digest: ContentDigest(of: file.content),
                    owner: FileOwner(user: Int(file.entry.uid), group: Int(file.entry.gid))
                )
            )
        } catch {
            if error.isNotFound { return nil }
            switch error {
            case .http, .decoding, .limitExceeded, .archive: return .unreadable
            default: throw error
            }
        }
    }

    private func volumes(
        _ desired: DesiredBottle,
        installation: InstallationID,
        inventory: Inventory
    ) async throws -> [ObservedVolume] {
        var found = inventory.volumes.map { ObservedVolume(name: $0.name, labels: $0.labels) }
            .filter { $0.labels[Labels.identity] == desired.identity.name }
        let known = Set(found.map(\.name))
        // A volume without our labels could have one of our names, and the engine would use it without an error.
        for volume in desired.volumes where !known.contains(volume.name) {
            do {
                let summary = try await engine.volume(volume.name)
                found.append(ObservedVolume(name: summary.name, labels: summary.labels))
            } catch {
                guard error.isNotFound else { throw error }
            }
        }
        return found
    }
}

extension LoadedGeneration {
    /// Reads a link, if it was written since the container was started.
    ///
    /// A link that is older than the start, or lies in the future of the engine's clock, is from an earlier run, or the
    /// clock was set. Either way it proves nothing.
    package init?(_ link: PathStat, since start: Timestamp?) {
        guard link.isLink, let start else { return nil }
        let written = link.modifiedAt
        guard written >= start else { return nil }
        // If the start lies in the future too, the clock was set back since, and the link is newer than the start.
        if let now = link.seenAt?.seconds, start.seconds <= now, written.seconds > now { return nil }
        self.init(linkTarget: link.linkTarget)
    }
}

extension ObservedFile {
    init(_ stat: PathStat) {
        self.init(size: stat.size, mode: stat.permissions, modified: stat.modifiedAt)
    }
}

extension NetworkID {
    /// - Parameter text: empty where the engine shows no network, or none yet.
    fileprivate init?(shown text: String) {
        guard !text.isEmpty else { return nil }
        self.init(text)
    }
}

extension ObservedNetwork {
    init(_ network: NetworkSummary) {
        self.init(
            id: NetworkID(network.id),
            name: network.name,
            labels: network.labels,
            isInternal: network.isInternal,
            subnets: network.blocks,
            options: network.options
        )
    }
}

extension ObservedContainer {
    package init(_ details: ContainerDetails) {
        let host = details.hostConfig
        self.init(
            id: ContainerID(details.id),
            name: details.name.withoutSlash,
            labels: details.config.labels ?? [:],
            imageID: details.imageID,
            state: State(rawValue: details.state.status) ?? .unknown,
            exitCode: details.state.exitCode,
            wasKilledForMemory: details.state.wasOutOfMemory,
            startedAt: details.state.startedAt,
            limits: Resources(
                milliCPUs: host.nanoCPUs.flatMap { $0 > 0 ? Int($0 / 1_000_000) : nil },
                memory: host.memory.flatMap { $0 > 0 ? $0 : nil },
                pids: host.pidsLimit.flatMap { $0 > 0 ? Int($0) : nil }
            ),
            restartsItself: !["", "no"].contains(host.restartPolicy?.name ?? ""),
            endpoints: details.networks.filter { _, endpoint in
                // After a refused connect the engine lists an endpoint with an empty network id; skip it.
                !details.state.isRunning || !endpoint.networkID.isEmpty
            }.map { name, endpoint in
                // A stopped container has only the address that it asked for.
                let asked = endpoint.addressing?.ipv4Address ?? ""
                return Endpoint(
                    networkID: NetworkID(shown: endpoint.networkID),
                    networkName: name,
                    address: try? IPv4Address(asked.isEmpty ? endpoint.ipAddress : asked),
                    aliases: endpoint.aliases
                )
            }.sorted { $0.networkName < $1.networkName }
        )
    }
}

extension Confinement {
    /// - Parameter variables: names of the variables that are no secrets; others are left out.
    init(_ details: ContainerDetails, variables: some Collection<String>) {
        let host = details.hostConfig
        let wanted = Set(variables)
        var environment: [String: String] = [:]
        for line in details.config.environment ?? [] {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2, wanted.contains(parts[0]) { environment[parts[0]] = parts[1] }
        }
        self.init(
            isRootReadOnly: host.readOnlyRoot ?? false,
            mounts: details.mounts.filter { $0.type != "tmpfs" }.map {
                $0.type == "bind"
                    ? Mount(folder: $0.source, target: $0.destination, isReadOnly: !$0.isWritable)
                    : Mount(volume: $0.type == "volume" ? $0.name : nil, target: $0.destination)
            },
            user: details.config.user ?? "",
            command: details.config.command ?? [],
            environment: environment
        )
        dropsAllCapabilities = host.dropCapabilities?.contains { $0.uppercased() == "ALL" } ?? false
        hasAddedCapabilities = host.addCapabilities?.isEmpty == false
        hasNoNewPrivileges =
            host.securityOptions?.contains { ["no-new-privileges", "no-new-privileges:true"].contains($0) } ?? false
        isPrivileged = host.isPrivileged ?? false
    }
}

extension String {
    /// The engine puts a slash before a container's name.
    var withoutSlash: String { hasPrefix("/") ? String(dropFirst()) : self }
}
