package import ReconcilerTime

/// The state of a container's process.
package struct ContainerState: Codable, Sendable, Hashable {
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`.
    package var status: String
    /// Whether the process exists; also true while paused or restarting.
    package var isRunning: Bool
    /// Whether it is paused.
    package var isPaused: Bool
    /// Whether the restart policy is restarting it.
    package var isRestarting: Bool
    /// Whether the kernel killed it for its memory use.
    package var wasOutOfMemory: Bool
    /// The process id on the engine's host; 0 if there is none.
    package var pid: Int
    /// The last exit code; also 0 while it is running.
    package var exitCode: Int
    /// Why the last start failed, in the engine's words.
    package var error: String
    /// When it last started; nil if never.
    package var startedAt: Timestamp?
    /// When it last ended; nil if never.
    package var finishedAt: Timestamp?
    /// The health check's state, if there is a check.
    package var health: Health?

    private enum CodingKeys: String, CodingKey {
        case status = "Status"
        case isRunning = "Running"
        case isPaused = "Paused"
        case isRestarting = "Restarting"
        case wasOutOfMemory = "OOMKilled"
        case pid = "Pid"
        case exitCode = "ExitCode"
        case error = "Error"
        case startedAt = "StartedAt"
        case finishedAt = "FinishedAt"
        case health = "Health"
    }

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
    package init(
        status: String,
        isRunning: Bool = false,
        isPaused: Bool = false,
        isRestarting: Bool = false,
        wasOutOfMemory: Bool = false,
        pid: Int = 0,
        exitCode: Int = 0,
        error: String = "",
        startedAt: Timestamp? = nil,
        finishedAt: Timestamp? = nil,
        health: Health? = nil
    ) {
        self.status = status
        self.isRunning = isRunning
        self.isPaused = isPaused
        self.isRestarting = isRestarting
        self.wasOutOfMemory = wasOutOfMemory
        self.pid = pid
        self.exitCode = exitCode
        self.error = error
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.health = health
    }

    /// Decodes the engine's JSON; null and absent mean the same.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        status = try values.decode(String.self, forKey: .status)
        isRunning = try values.decode(.isRunning, or: false)
        isPaused = try values.decode(.isPaused, or: false)
        isRestarting = try values.decode(.isRestarting, or: false)
        wasOutOfMemory = try values.decode(.wasOutOfMemory, or: false)
        pid = try values.decode(.pid, or: 0)
        exitCode = try values.decode(.exitCode, or: 0)
        error = try values.decode(.error, or: "")
        startedAt = try values.decodeTime(.startedAt)
        finishedAt = try values.decodeTime(.finishedAt)
        health = try values.decodeIfPresent(Health.self, forKey: .health)
    }

    /// The state of the health check.
    package struct Health: Codable, Sendable, Hashable {
        /// `starting`, `healthy`, `unhealthy` or `none`.
        package var status: String
        /// How many consecutive checks have failed.
        package var failingStreak: Int

        private enum CodingKeys: String, CodingKey {
            case status = "Status"
            case failingStreak = "FailingStreak"
        }

        /// A health state.
        package init(status: String, failingStreak: Int = 0) {
            self.status = status
            self.failingStreak = failingStreak
        }
    }
}
