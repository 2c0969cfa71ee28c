package import ReconcilerTime

package struct ObservedContainer: Sendable, Hashable {
    package enum State: String, Sendable, Hashable {
        case created, running, paused, restarting, removing, exited, dead
        /// A state this version doesn't know.
        case unknown
    }

    package struct Endpoint: Sendable, Hashable {
        /// Nil: the engine doesn't show it yet, as for a container that was never started.
        package var networkID: NetworkID?
        package var networkName: String
        package var address: IPv4Address?
        package var aliases: [String]

        package init(networkID: NetworkID?, networkName: String, address: IPv4Address?, aliases: [String] = []) {
            self.networkID = networkID
            self.networkName = networkName
            self.address = address
            self.aliases = aliases
        }
    }

    package var id: ContainerID
    package var name: String
    package var labels: [String: String]
    package var imageID: String
    package var state: State
    package var exitCode: Int
    package var wasKilledForMemory: Bool
    package var startedAt: Timestamp?
    package var limits: Resources
    /// Whether the engine would restart it by itself; only the loop may do that.
    package var restartsItself: Bool
    /// Nil: not looked at.
    package var confinement: Confinement?
    package var endpoints: [Endpoint]
    /// The managed files that were looked at, by path; nil: looked for and missing.
    package var files: [String: ObservedFile?]
    /// The load confirmation, when it counts: written after the container's last start.
    package var loaded: LoadedGeneration?

    package init(
        id: ContainerID,
        name: String,
        labels: [String: String] = [:],
        imageID: String = "",
        state: State = .running,
        exitCode: Int = 0,
        wasKilledForMemory: Bool = false,
        startedAt: Timestamp? = nil,
        limits: Resources = Resources(),
        restartsItself: Bool = false,
        confinement: Confinement? = nil,
        endpoints: [Endpoint] = [],
        files: [String: ObservedFile?] = [:],
        loaded: LoadedGeneration? = nil
    ) {
        self.id = id
        self.name = name
        self.labels = labels
        self.imageID = imageID
        self.state = state
        self.exitCode = exitCode
        self.wasKilledForMemory = wasKilledForMemory
        self.startedAt = startedAt
        self.limits = limits
        self.restartsItself = restartsItself
        self.confinement = confinement
        self.endpoints = endpoints
        self.files = files
        self.loaded = loaded
    }

    package var isRunning: Bool { state == .running }

    /// Whether its program is alive, paused or not.
    package var isLiving: Bool { [.running, .paused, .restarting].contains(state) }

    package var specHash: SpecHash? { labels[Labels.specHash].map(SpecHash.init(label:)) }

    package var role: Role? { labels[Labels.role].flatMap(Role.init(rawValue:)) }
}

/// One look at a file, from outside or whole.
package struct ObservedFile: Sendable, Hashable {
    package var size: Int64
    /// Permission bits.
    package var mode: UInt32
    package var modified: Timestamp
    /// What reading the file showed; nil: it was only looked at from outside.
    package var reading: Reading?

    /// What a look from outside can't show.
    package struct Reading: Sendable, Hashable {
        package var digest: ContentDigest
        package var owner: FileOwner

        package init(digest: ContentDigest, owner: FileOwner) {
            self.digest = digest
            self.owner = owner
        }
    }

    package init(size: Int64, mode: UInt32, modified: Timestamp, reading: Reading? = nil) {
        self.size = size
        self.mode = mode
        self.modified = modified
        self.reading = reading
    }

    /// Something that the engine can't look at, such as a circular link.
    ///
    /// We never put that there.
    package static let unreadable = ObservedFile(size: -1, mode: 0, modified: Timestamp(seconds: 0, nanoseconds: 0))

    /// Whether this is the file that `desired` describes, as far as the look went.
    package func shows(_ desired: DesiredFile) -> Bool {
        size == Int64(desired.content.count) && mode == desired.mode && modified == desired.stamp
            && (reading.map { $0.digest == desired.digest && $0.owner.mayBe(desired.owner, desired.group) } ?? true)
    }
}

extension FileOwner {
    /// The first user number of an engine that maps users (`userns-remap`).
    ///
    /// It shows its own numbers; the number inside the container can't be known.
    private static let firstMapped = 1 << 16

    /// Whether this can be the owner with these numbers inside a container.
    fileprivate func mayBe(_ user: Int, _ group: Int) -> Bool {
        (self.user == user || self.user >= Self.firstMapped) && (self.group == group || self.group >= Self.firstMapped)
    }
}

/// What a sidecar's load confirmation says.
package struct LoadedGeneration: Sendable, Hashable {
    /// The generation in force; nil when nothing is.
    package var inForce: ContentDigest?
    /// The last candidate that was refused, and why.
    package var refusal: Refusal?

    package struct Refusal: Sendable, Hashable {
        package var reason: String
        package var generation: ContentDigest

        package init(reason: String, generation: ContentDigest) {
            self.reason = reason
            self.generation = generation
        }
    }

    package init(inForce: ContentDigest?, refusal: Refusal? = nil) {
        self.inForce = inForce
        self.refusal = refusal
    }

    /// Reads a link's target: `/<hash>/ok` or `/<hash or none>/<reason>/<hash refused>`; nil for anything else.
    package init?(linkTarget target: String) {
        let parts = target.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3, parts[0].isEmpty else { return nil }
        let inForce = try? ContentDigest(hex: parts[1])
        guard inForce != nil || parts[1] == "none" else { return nil }
        switch parts.count {
        case 3 where parts[2] == "ok" && inForce != nil:
            self.init(inForce: inForce)
        case 4 where Identity.isLabel(parts[2]) && parts[2] != "ok":
            guard let refused = try? ContentDigest(hex: parts[3]) else { return nil }
            self.init(inForce: inForce, refusal: Refusal(reason: parts[2], generation: refused))
        default: return nil
        }
    }
}
