/// A command to run in a container.
package struct ExecCreate: Codable, Sendable, Hashable {
    /// The program and its arguments, without a shell.
    package var command: [String]
    /// `user`, `uid` or `uid:gid`; the container's own if absent.
    package var user: String?
    /// Additional variables, as `NAME=value`.
    package var environment: [String]?
    /// The working folder.
    package var workingFolder: String?
    /// Whether it has a terminal; then its output is one stream instead of two.
    package var tty: Bool?
    /// Whether its input is connected.
    package var attachInput: Bool?
    /// Whether to return its output.
    package var attachOutput: Bool
    /// Whether to return its error output.
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

    /// A value with the given parts; omitted ones are as if the engine had not sent them.
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
