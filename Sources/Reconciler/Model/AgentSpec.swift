/// What runs in the agent container and with which means.
package struct AgentSpec: Sendable, Hashable {
    package var image: AgentImage
    /// Replaces the image's command when not empty.
    package var command: [String]
    /// User name or uid; nil: the image's own.
    package var user: String?
    /// Home folder inside the container; nil: from the image's /etc/passwd.
    package var home: String?
    package var restart: RestartPolicy
    package var prompt: Prompt?
    /// Folders on the host with skills to copy in.
    package var skills: [String]
    package var environment: [String: EnvironmentValue]
    package var workspace: Workspace
    package var resources: Resources
    /// Name of a container runtime of the engine; nil: the engine's default.
    package var runtime: String?

    package init(
        image: AgentImage,
        command: [String] = [],
        user: String? = nil,
        home: String? = nil,
        restart: RestartPolicy = .never,
        prompt: Prompt? = nil,
        skills: [String] = [],
        environment: [String: EnvironmentValue] = [:],
        workspace: Workspace = Workspace(),
        resources: Resources = Resources(),
        runtime: String? = nil
    ) {
        self.image = image
        self.command = command
        self.user = user
        self.home = home
        self.restart = restart
        self.prompt = prompt
        self.skills = skills
        self.environment = environment
        self.workspace = workspace
        self.resources = resources
        self.runtime = runtime
    }
}

/// Where the agent's image comes from.
package enum AgentImage: Sendable, Hashable {
    case reference(ImageReference)
    case build(BuildSource)
}

/// A build context on the host, and what it held when it was resolved.
package struct BuildSource: Sendable, Hashable {
    /// Folder sent to the builder; absolute once resolved.
    package var context: String
    /// Path of the Dockerfile inside the context.
    package var dockerfile: String
    /// Digest of the stored copy of the context; nil until resolved.
    package var pinned: ContentDigest?
    /// The image that a Dockerfile which an agent proposed begins with: every build of it is restricted.
    package var base: ImageID?

    package init(
        context: String,
        dockerfile: String = "Dockerfile",
        pinned: ContentDigest? = nil,
        base: ImageID? = nil
    ) {
        self.context = context
        self.dockerfile = dockerfile
        self.pinned = pinned
        self.base = base
    }
}

/// The agent's first instructions.
package enum Prompt: Sendable, Hashable {
    case file(String)
    case text(String)
}

/// The value of an environment variable of the agent.
package enum EnvironmentValue: Sendable, Hashable {
    case literal(String)
    /// Taken from this variable of the person who applies.
    case fromHost(String)
}

/// Whether the loop starts an agent again that ended.
package enum RestartPolicy: String, Sendable, Hashable, CaseIterable {
    case never
    case onFailure = "on-failure"
    case always
}

/// The agent's working folder.
package struct Workspace: Sendable, Hashable {
    package enum Mode: String, Sendable, Hashable, CaseIterable {
        case none, copy, mount
    }

    package var mode: Mode
    package var path: String?

    package init(mode: Mode = .none, path: String? = nil) {
        self.mode = mode
        self.path = path
    }
}

/// Limits of a container.
package struct Resources: Sendable, Hashable {
    /// Thousandths of a processor; nil: no limit.
    package var milliCPUs: Int?
    /// Bytes; nil: no limit.
    package var memory: Int64?
    package var pids: Int?

    package init(milliCPUs: Int? = nil, memory: Int64? = nil, pids: Int? = nil) {
        self.milliCPUs = milliCPUs
        self.memory = memory
        self.pids = pids
    }

    /// The limits that are set, by their key in the manifest.
    package var names: [String] {
        [milliCPUs.map { _ in "cpus" }, memory.map { _ in "memory" }, pids.map { _ in "pids" }].compactMap { $0 }
    }

    /// Whether `found` has every limit that is set here; one that isn't set may be anything.
    package func areMet(by found: Resources) -> Bool {
        (milliCPUs == nil || milliCPUs == found.milliCPUs) && (memory == nil || memory == found.memory)
            && (pids == nil || pids == found.pids)
    }
}
