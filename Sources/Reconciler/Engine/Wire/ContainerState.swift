package import ReconcilerTime

/// What a container's process does.
package struct ContainerState: Codable, Sendable, Hashable {
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`.
    package var status: String
    /// Whether the process lives; true also while paused or restarting.
    package var isRunning: Bool
    /// Whether it is frozen.
    package var isPaused: Bool
    /// Whether the restart policy is at work.
    package var isRestarting: Bool
    /// Whether the kernel ended it for its memory.
    package var wasOutOfMemory: Bool
    /// The process id on the engine's host; 0 when none.
    package var pid: Int
    /// The last exit code; 0 also while it runs.
    package var exitCode: Int
    /// Why the last start failed, in the engine's words.
    package var error: String
    /// When it last started; nil when never.
    package var startedAt: Timestamp?
    /// When it last ended; nil when never.
    package var finishedAt: Timestamp?
    /// The health check's state, when there is a check.
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

    /// A value with the given parts; what is left out is as an engine that says nothing of it.
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

    /// What the engine sent; null and absent mean the same.
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

    /// What the health check says.
    package struct Health: Codable, Sendable, Hashable {
        /// `starting`, `healthy`, `unhealthy` or `none`.
        package var status: String
        /// How many checks in a row failed.
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
