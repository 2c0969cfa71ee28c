/// What runs in a container, or in an image's containers; absent values come from the image.
package struct ContainerConfig: Codable, Sendable, Hashable {
    /// The image, by name or id.
    package var image: String?
    /// `user`, `uid` or `uid:gid`.
    package var user: String?
    /// Variables, as `NAME=value`.
    package var environment: [String]?
    /// The command, or the entry point's arguments.
    package var command: [String]?
    /// The entry point; one empty string clears the image's.
    package var entrypoint: [String]?
    /// The working folder of the process.
    package var workingFolder: String?
    /// Labels; a container also gets its image's.
    package var labels: [String: String]?
    /// Whether the process has a terminal.
    package var tty: Bool?
    /// Whether standard input is kept open.
    package var openInput: Bool?
    /// The host name; the short id if absent.
    package var hostname: String?
    /// The domain name.
    package var domainname: String?
    /// The signal that stops it.
    package var stopSignal: String?
    /// Seconds between that signal and SIGKILL.
    package var stopTimeout: Int?
    /// Its health check.
    package var healthcheck: Healthcheck?

    private enum CodingKeys: String, CodingKey {
        case image = "Image"
        case user = "User"
        case environment = "Env"
        case command = "Cmd"
        case entrypoint = "Entrypoint"
        case workingFolder = "WorkingDir"
        case labels = "Labels"
        case tty = "Tty"
        case openInput = "OpenStdin"
        case hostname = "Hostname"
        case domainname = "Domainname"
        case stopSignal = "StopSignal"
        case stopTimeout = "StopTimeout"
        case healthcheck = "Healthcheck"
    }

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
    package init(
        image: String? = nil,
        user: String? = nil,
        environment: [String]? = nil,
        command: [String]? = nil,
        entrypoint: [String]? = nil,
        workingFolder: String? = nil,
        labels: [String: String]? = nil,
        tty: Bool? = nil,
        openInput: Bool? = nil,
        hostname: String? = nil,
        domainname: String? = nil,
        stopSignal: String? = nil,
        stopTimeout: Int? = nil,
        healthcheck: Healthcheck? = nil
    ) {
        self.image = image
        self.user = user
        self.environment = environment
        self.command = command
        self.entrypoint = entrypoint
        self.workingFolder = workingFolder
        self.labels = labels
        self.tty = tty
        self.openInput = openInput
        self.hostname = hostname
        self.domainname = domainname
        self.stopSignal = stopSignal
        self.stopTimeout = stopTimeout
        self.healthcheck = healthcheck
    }

    /// A command that checks the container's health; times are in nanoseconds.
    package struct Healthcheck: Codable, Sendable, Hashable {
        /// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", line]`.
        package var test: [String]?
        /// The interval between two checks.
        package var interval: Int64?
        /// How long one check may take.
        package var timeout: Int64?
        /// How long failures don't count at first.
        package var startPeriod: Int64?
        /// How many consecutive failures make it unhealthy.
        package var retries: Int?

        private enum CodingKeys: String, CodingKey {
            case test = "Test"
            case interval = "Interval"
            case timeout = "Timeout"
            case startPeriod = "StartPeriod"
            case retries = "Retries"
        }

        /// A health check; omitted parts have the engine's defaults.
        package init(
            test: [String]? = nil,
            interval: Int64? = nil,
            timeout: Int64? = nil,
            startPeriod: Int64? = nil,
            retries: Int? = nil
        ) {
            self.test = test
            self.interval = interval
            self.timeout = timeout
            self.startPeriod = startPeriod
            self.retries = retries
        }
    }
}
