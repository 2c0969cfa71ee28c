/// The operator's settings: `$XDG_CONFIG_HOME/bottle/config.yaml`.
package struct Settings: Sendable, Hashable {
    package var secrets: [SecretReference: SecretSource]
    /// Images that take the place of `bottle/<role>`.
    package var images: [Role: ImageReference]
    /// Addresses that bottles' networks are cut from, a /28 each.
    package var networkPool: IPv4Block
    /// Hosts whose refusals say nothing of the agent's work, beside those that are known.
    package var noise: [HostPattern]

    /// A program and its arguments that get each new proposal on standard input; empty: none.
    package var onProposal: [String] = []
    /// What a build of a proposed Dockerfile may reach and use.
    package var builds: Builds

    package init(
        secrets: [SecretReference: SecretSource] = [:],
        images: [Role: ImageReference] = [:],
        networkPool: IPv4Block = Settings.defaultNetworkPool,
        noise: [HostPattern] = [],
        builds: Builds = Builds()
    ) {
        self.secrets = secrets
        self.images = images
        self.networkPool = networkPool
        self.noise = noise
        self.builds = builds
    }

    /// The means of a restricted build (SPEC 5).
    package struct Builds: Sendable, Hashable {
        /// Hosts that its steps reach, over TLS and plain HTTP; none: it has no network at all.
        package var allow: [HostPattern]
        /// Bytes of memory for each step, no swap.
        package var memory: Int64
        package var milliCPUs: Int
        /// From its first step to its last.
        package var timeLimit: Duration
        /// Bytes that it may add to its base, and that a file of it may have.
        package var size: Int64

        package init(
            allow: [HostPattern] = [],
            memory: Int64 = 2 << 30,
            milliCPUs: Int = 1000,
            timeLimit: Duration = .seconds(600),
            size: Int64 = 4 << 30
        ) {
            self.allow = allow
            self.memory = memory
            self.milliCPUs = milliCPUs
            self.timeLimit = timeLimit
            self.size = size
        }
    }

    /// 10.231.0.0/16: 4,096 networks of 16 addresses.
    package static let defaultNetworkPool = IPv4Block(base: IPv4Address(bits: 0x0AE7_0000), prefix: 16)
}

/// Where the value of a secret is found.
package enum SecretSource: Sendable, Hashable {
    case environment(String)
    case file(String)
    /// Standard output of this command, without its last newline. Never run through a shell.
    case command([String])
}
