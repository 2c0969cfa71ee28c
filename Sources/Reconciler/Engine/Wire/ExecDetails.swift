/// A command run in a container (`GET /exec/{id}/json`).
package struct ExecDetails: Codable, Sendable, Hashable {
    /// The exec's id.
    package var id: String
    /// The container it ran in.
    package var containerID: String
    /// Whether it still runs.
    package var isRunning: Bool
    /// Its exit code; nil until it ended.
    package var exitCode: Int?
    /// The process id on the engine's host.
    package var pid: Int

    private enum CodingKeys: String, CodingKey {
        case id = "ID"
        case containerID = "ContainerID"
        case isRunning = "Running"
        case exitCode = "ExitCode"
        case pid = "Pid"
    }

    /// A value with the given parts; what is left out is as an engine that says nothing of it.
    package init(
        id: String,
        containerID: String = "",
        isRunning: Bool = false,
        exitCode: Int? = nil,
        pid: Int = 0
    ) {
        self.id = id
        self.containerID = containerID
        self.isRunning = isRunning
        self.exitCode = exitCode
        self.pid = pid
    }

    /// What the engine sent; null and absent mean the same.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        containerID = try values.decode(.containerID, or: "")
        isRunning = try values.decode(.isRunning, or: false)
        exitCode = try values.decodeIfPresent(Int.self, forKey: .exitCode)
        pid = try values.decode(.pid, or: 0)
    }
}

/// A command to run in a container.
package struct ExecCreate: Codable, Sendable, Hashable {
    /// The program and its arguments; no shell in between.
    package var command: [String]
    /// `user`, `uid` or `uid:gid`; the container's own when absent.
    package var user: String?
    /// More variables, as `NAME=value`.
    package var environment: [String]?
    /// Where it starts.
    package var workingFolder: String?
    /// Whether it gets a terminal; its output is then one stream, not two.
    package var tty: Bool?
    /// Whether it reads what the caller writes.
    package var attachInput: Bool?
    /// Whether its output comes back.
    package var attachOutput: Bool
    /// Whether its error output comes back.
    package var attachErrors: Bool

    private enum CodingKeys: String, CodingKey {
        case command = "Cmd"
        case user = "User"
        case environment = "Env"
        case workingFolder = "WorkingDir"
        case tty = "Tty"
        case attachInput = "AttachStdin"
        case attachOutput = "AttachStdout"
        case attachErrors = "AttachStderr"
    }

    /// A value with the given parts; what is left out is as an engine that says nothing of it.
    package init(
        command: [String],
        user: String? = nil,
        environment: [String]? = nil,
        workingFolder: String? = nil,
        tty: Bool? = nil,
        attachInput: Bool? = nil,
        attachOutput: Bool = true,
        attachErrors: Bool = true
    ) {
        self.command = command
        self.user = user
        self.environment = environment
        self.workingFolder = workingFolder
        self.tty = tty
        self.attachInput = attachInput
        self.attachOutput = attachOutput
        self.attachErrors = attachErrors
    }
}
