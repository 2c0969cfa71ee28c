/// Everything of a container that only a new container can change.
///
/// This is the canonical form behind the spec hash: two equal specs are the same container, two different ones are
/// not. Limits, networks and files have fingerprints of their own, since they change in place.
package struct ContainerSpec: Sendable, Hashable, Codable {
    package struct Mount: Sendable, Hashable, Codable {
        package var volume: String
        package var target: String

        package init(volume: String, target: String) {
            self.volume = volume
            self.target = target
        }
    }

    /// A folder of the engine's own machine.
    package struct HostFolder: Sendable, Hashable, Codable {
        package var source: String
        package var target: String
        package var isReadOnly: Bool

        package init(source: String, target: String, isReadOnly: Bool) {
            self.source = source
            self.target = target
            self.isReadOnly = isReadOnly
        }
    }

    package struct Ulimit: Sendable, Hashable, Codable {
        package var name: String
        package var soft: Int
        package var hard: Int

        package init(name: String, soft: Int, hard: Int) {
            self.name = name
            self.soft = soft
            self.hard = hard
        }
    }

    /// A variable whose value is a secret: known here only by name and keyed fingerprint.
    package struct SecretVariable: Sendable, Hashable, Codable {
        package var name: String
        package var secret: String
        package var fingerprint: String

        package init(name: String, secret: String, fingerprint: String) {
            self.name = name
            self.secret = secret
            self.fingerprint = fingerprint
        }
    }

    package var command: [String]
    package var user: String?
    package var environment: [String: String]
    package var secrets: [SecretVariable]
    package var workingFolder: String?
    package var hasTerminal = false
    package var hasInit = false
    package var isRootReadOnly = true
    package var mounts: [Mount]
    /// Folders of the host; nil: none.
    package var hostFolders: [HostFolder]?
    /// Folders in memory, with their mount options.
    package var memoryFolders: [String: String]
    package var ulimits: [Ulimit]
    package var resolvers: [String]
    package var resolverOptions: [String]
    /// Fixed names, as `name:address`.
    package var extraHosts: [String]
    package var runtime: String?
    /// Settings of the container's own network stack; nil: the engine's.
    package var kernelParameters: [String: String]?
    /// The names of the container's limits: the engine can change a limit in place, but not remove it.
    package var limited: [String] = []
    package var stopSeconds: Int
    /// Bytes a log file may grow to, and how many are kept.
    package var logBytes: Int
    package var logFiles: Int

    package init(
        command: [String] = [],
        user: String? = nil,
        environment: [String: String] = [:],
        secrets: [SecretVariable] = [],
        mounts: [Mount] = [],
        memoryFolders: [String: String] = [:],
        extraHosts: [String] = [],
        stopSeconds: Int = 2
    ) {
        self.command = command
        self.user = user
        self.environment = environment
        self.secrets = secrets
        self.mounts = mounts
        self.memoryFolders = memoryFolders
        self.ulimits = [Ulimit(name: "core", soft: 0, hard: 0), Ulimit(name: "nofile", soft: 4096, hard: 8192)]
        self.resolvers = []
        self.resolverOptions = []
        self.extraHosts = extraHosts
        self.stopSeconds = stopSeconds
        self.logBytes = 10 << 20
        self.logFiles = 2
    }

    /// Gives the container a resolver that answers for its own networks' aliases and for nothing else.
    ///
    /// The engine's embedded resolver asks this address, inside the container, for names it doesn't know; nothing
    /// listens there, so it fails at once. (Engines before 25.0.5 otherwise ask the host's resolver even on internal
    /// networks: CVE-2024-29018.)
    package mutating func resolveNothingOutside() {
        resolvers = ["127.0.0.1"]
        resolverOptions = ["timeout:1", "attempts:1"]
    }
}
