package import ReconcilerEngine
import ReconcilerTime

/// What the engine tells of its objects: an inspection and a list are of one mind.
extension EngineState {
    func details(_ container: MemoryContainer) -> ContainerDetails {
        ContainerDetails(
            id: container.id,
            name: container.name,
            imageID: container.imageID,
            config: container.config,
            state: container.state,
            restartCount: container.restartCount,
            hostConfig: container.hostConfig,
            networks: container.endpoints.mapValues(\.wire),
            mounts: mountPoints(container),
            createdAt: container.createdAt
        )
    }

    func summary(_ container: MemoryContainer) -> ContainerSummary {
        let reference = container.config.image ?? ""
        return ContainerSummary(
            id: container.id,
            names: [container.name],
            image: findImage(reference)?.id == container.imageID ? reference : container.imageID,
            imageID: container.imageID,
            labels: container.config.labels ?? [:],
            state: container.state.status,
            status: words(container.state),
            created: container.createdAt.seconds,
            networkMode: container.hostConfig.networkMode ?? "default",
            networks: container.endpoints.filter { !$0.value.isPhantom }.mapValues { endpoint in
                var wire = endpoint.wire
                wire.aliases = []
                return wire
            },
            mounts: mountPoints(container)
        )
    }

    private func words(_ state: ContainerState) -> String {
        switch state.status {
        case "running": "Up \(clock.seconds - (state.startedAt?.seconds ?? 0)) seconds"
        case "paused": "Up \(clock.seconds - (state.startedAt?.seconds ?? 0)) seconds (Paused)"
        case "exited": "Exited (\(state.exitCode)) Less than a second ago"
        default: state.status.prefix(1).uppercased() + state.status.dropFirst()
        }
    }

    private func mountPoints(_ container: MemoryContainer) -> [MountPoint] {
        container.mounts.map { mount in
            let source = mount.source ?? ""
            return MountPoint(
                type: mount.type.rawValue,
                name: mount.type == .volume ? source : "",
                source: mount.type == .volume ? volumes[source]?.summary.mountpoint ?? "" : source,
                destination: mount.target,
                isWritable: mount.isReadOnly != true
            )
        }.sorted { $0.destination < $1.destination }
    }

    func matches(_ labels: [String: String], _ wanted: [String]) -> Bool {
        wanted.allSatisfy { word in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let found = labels[parts[0]] else { return false }
            return parts.count == 1 || parts[1] == found
        }
    }

    func list(labels: [String], all: Bool) -> [ContainerSummary] {
        containers.values.filter { (all || $0.isRunning) && matches($0.config.labels ?? [:], labels) }
            .sorted { ($1.createdAt, $1.id) < ($0.createdAt, $0.id) }.map(summary)
    }

    // MARK: - Volumes

    package mutating func makeVolume(_ name: String, labels: [String: String]) -> VolumeSummary {
        tell("volume", "create", name, ["driver": "local"])
        if let present = volumes[name] { return present.summary }
        let summary = VolumeSummary(
            name: name,
            mountpoint: "/var/lib/docker/volumes/\(name)/_data",
            labels: labels,
            createdAt: clock
        )
        volumes[name] = MemoryVolume(summary: summary)
        count("create", "volume", name)
        return summary
    }

    func findVolume(_ name: String) throws(EngineError) -> MemoryVolume {
        guard let found = volumes[name] else { throw Self.refusal(404, "get \(name): no such volume") }
        return found
    }

    package mutating func removeVolume(_ name: String) throws(EngineError) {
        _ = try findVolume(name)
        let users = containers.values.filter { $0.mounts.contains { $0.type == .volume && $0.source == name } }
        guard users.isEmpty else {
            let ids = users.map(\.id).sorted().joined(separator: ", ")
            throw Self.refusal(409, "remove \(name): volume is in use - [\(ids)]")
        }
        volumes[name] = nil
        count("remove", "volume", name)
        tell("volume", "destroy", name, ["driver": "local"])
    }

    // MARK: - Events

    /// The events from position `start` on that a query asks for, and the position after the last one looked at.
    func events(from start: Int, _ query: EventQuery) -> (found: [EngineEvent], next: Int) {
        let found = events[start...].filter { event in
            let time = Timestamp(
                seconds: event.timeNanoseconds / 1_000_000_000,
                nanoseconds: event.timeNanoseconds % 1_000_000_000
            )
            if let since = query.since, time < since { return false }
            if let until = query.until, until < time { return false }
            return query.filters.allSatisfy { key, values in
                values.isEmpty
                    || (key == "label"
                        ? matches(event.attributes, values) : values.contains { Self.shows(event, key, $0) })
            }
        }
        return (Array(found), events.count)
    }

    private static func shows(_ event: EngineEvent, _ key: String, _ value: String) -> Bool {
        switch key {
        case "type": event.type == value
        case "event": event.action == value || event.action.hasPrefix("\(value):")
        case "container", "network", "volume", "image":
            event.type == key && (event.actorID == value || event.attributes["name"] == value)
        default: false
        }
    }
}

/// For tests that look or meddle.
extension EngineState {
    /// A network as its inspection tells it.
    package func network(_ reference: String) throws(EngineError) -> NetworkSummary {
        view(try findNetwork(reference))
    }

    /// A container as its inspection tells it.
    package func inspect(_ reference: String) throws(EngineError) -> ContainerDetails {
        details(try find(reference))
    }

    /// A file or folder of a container, as the program inside sees it.
    package func look(_ path: String, in reference: String) throws(EngineError) -> FileTree.Node {
        let id = try find(reference).id
        guard let place = try locate(path, in: id, as: .program, followsLast: false), let node = node(place) else {
            throw Self.refusal(404, "there is no \(path)")
        }
        return node
    }

    /// Gives an image's name to another image that is alike but for its id.
    package mutating func move(_ name: String) throws(EngineError) {
        guard var image = findImage(name) else { throw Self.refusal(404, "No such image: \(name)") }
        image.id = "sha256:\(freshID("image"))"
        image.tags = [Self.tagged(name)]
        add(image)
    }
}
