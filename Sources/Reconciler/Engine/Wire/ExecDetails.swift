/// A command run in a container (`GET /exec/{id}/json`).
package struct ExecDetails: Codable, Sendable, Hashable {
    /// The exec's id.
    package var id: String
    /// The container it ran in.
    package var containerID: String
    /// Whether it is still running.
    package var isRunning: Bool
    /// Its exit code; nil until it has ended.
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

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
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

    /// Decodes the engine's JSON; null and absent mean the same.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        containerID = try values.decode(.containerID, or: "")
        isRunning = try values.decode(.isRunning, or: false)
        exitCode = try values.decodeIfPresent(Int.self, forKey: .exitCode)
        pid = try values.decode(.pid, or: 0)
    }
}
