package import ReconcilerEngine
import ReconcilerModel
package import ReconcilerTime

/// Everything an in-memory engine holds, as one value: copying it forks the world.
///
/// Its mutating methods are the engine's calls, with the refusals, the words and the quirks of Docker 20.10; the
/// conformance suite holds it to them. Time moves only with calls, a millisecond each.
package struct EngineState: Sendable {
    /// The engine's clock.
    package var clock = Timestamp(seconds: 1_700_000_000)
    package var containers: [String: MemoryContainer] = [:]
    package var networks: [String: MemoryNetwork] = [:]
    package var volumes: [String: MemoryVolume] = [:]
    /// Images by id.
    package var images: [String: MemoryImage] = [:]
    /// What a pull finds, by reference.
    package var registry: [String: MemoryImage] = [:]
    /// The programs of images that are built, by tag; others run their base's.
    package var programs: [String: MemoryImage.Start] = [:]
    /// The files of the host, for binds.
    package var host = FileTree(files: ["/etc/hostname": "host\n"])
    /// All that was ever told, oldest first.
    package internal(set) var events: [EngineEvent] = []
    /// How often each object was made and removed, such as `create container/NAME`.
    package internal(set) var effects: [String: Int] = [:]
    /// How it was asked to build, oldest first.
    package internal(set) var builds: [BuildOptions] = []
    var execs: [String: ExecDetails] = [:]
    private var ids: UInt64 = 0

    /// An engine as it is after its installation: the networks that are always there.
    package init() {
        for (name, driver, subnet) in [
            ("bridge", "bridge", "172.17.0.0/16"), ("host", "host", nil), ("none", "null", nil),
        ]
            as [(String, String, String?)]
        {
            let id = freshID("network")
            let pools = subnet.map { [IPAM.Pool(subnet: $0)] } ?? []
            let summary = NetworkSummary(
                id: id,
                name: name,
                driver: driver,
                ipam: IPAM(pools: pools),
                createdAt: clock
            )
            networks[id] = MemoryNetwork(summary: summary, isPredefined: true)
        }
    }

    /// An id that no object has yet: 64 hexadecimal digits.
    mutating func freshID(_ kind: String) -> String {
        ids += 1
        return ContentDigest(of: "\(kind) \(ids)").hex
    }

    mutating func count(_ verb: String, _ kind: String, _ name: String) {
        effects["\(verb) \(kind)/\(name)", default: 0] += 1
    }

    mutating func tell(_ type: String, _ action: String, _ id: String, _ attributes: [String: String]) {
        events.append(
            EngineEvent(
                type: type,
                action: action,
                actorID: id,
                attributes: attributes,
                timeNanoseconds: clock.seconds * 1_000_000_000 + clock.nanoseconds
            )
        )
    }

    mutating func tell(_ action: String, of container: MemoryContainer, _ more: [String: String] = [:]) {
        var attributes = container.config.labels ?? [:]
        attributes["image"] = container.config.image ?? ""
        attributes["name"] = container.name
        tell("container", action, container.id, attributes.merging(more) { $1 })
    }

    /// A refusal in the engine's words.
    static func refusal(_ status: Int, _ message: String) -> EngineError {
        .http(.init(status: status, method: "", path: "", message: message))
    }
}

/// A container of the in-memory engine.
package struct MemoryContainer: Sendable {
    package struct LogLine: Sendable {
        package var frame: OutputFrame
        package var time: Timestamp

        /// The frame behind its time.
        var stamped: OutputFrame {
            // Nine digits of a second always, as the engine writes it.
            var text = time.description
            if time.nanoseconds == 0 { text = text.dropLast() + ".000000000Z" }
            return OutputFrame(frame.channel, Array("\(text) ".utf8) + frame.bytes)
        }
    }

    /// A place on a network, as the engine remembers it.
    package struct Endpoint: Sendable, Hashable {
        package var wire: NetworkEndpoint
        /// Left by a refused connect of a running container: told by an inspection, in force nowhere.
        package var isPhantom = false

        package var isUp: Bool { !wire.endpointID.isEmpty }
    }

    package var id: String
    package var name: String
    package var imageID: String
    /// As asked for and as the image says; its `image` is the reference it was made by.
    package var config: ContainerConfig
    package var hostConfig: HostConfig
    package var state = ContainerState(status: "created")
    package var endpoints: [String: Endpoint] = [:]
    package var mounts: [Mount]
    package var root: FileTree
    /// Memory file systems by target; there only while it lives.
    package var memory: [String: FileTree] = [:]
    package var program: any ContainerProgram
    package var logs: [LogLine] = []
    package var createdAt: Timestamp
    package var restartCount = 0
    /// Whether its end was asked for, so that no restart policy starts it again.
    var isAskedToEnd = false

    package var isRunning: Bool { state.isRunning }
}

/// A network of the in-memory engine.
package struct MemoryNetwork: Sendable {
    package var summary: NetworkSummary
    package var isPredefined = false
}

/// A volume of the in-memory engine.
package struct MemoryVolume: Sendable {
    package var summary: VolumeSummary
    package var files = FileTree()
}

/// An image of the in-memory engine.
package struct MemoryImage: Sendable {
    /// What a container of it runs when it starts.
    package typealias Start = @Sendable (ContainerConfig) -> any ContainerProgram

    package var id: String
    package var tags: Set<String>
    package var config: ContainerConfig
    package var files: FileTree
    package var start: Start
    package var createdAt: Timestamp

    /// An image; by default one whose containers sleep.
    package init(
        id: String,
        tags: Set<String>,
        config: ContainerConfig = ContainerConfig(),
        files: FileTree = FileTree(),
        createdAt: Timestamp = Timestamp(seconds: 1_600_000_000),
        start: @escaping Start = { _ in PlainProgram() }
    ) {
        self.id = id
        self.tags = tags
        self.config = config
        self.files = files
        self.createdAt = createdAt
        self.start = start
    }
}
