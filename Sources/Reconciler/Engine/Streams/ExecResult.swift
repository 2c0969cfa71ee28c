/// The result of a finished command.
package struct ExecResult: Sendable, Hashable {
    /// The beginning of its output, up to the limit.
    package var output: [UInt8]
    /// The beginning of its error output, up to the limit.
    package var errors: [UInt8]
    /// Whether there was more output than the limit.
    package var isTruncated: Bool
    /// Its exit code.
    package var exitCode: Int

    /// A command's result.
    package init(output: [UInt8] = [], errors: [UInt8] = [], isTruncated: Bool = false, exitCode: Int = 0) {
        self.output = output
        self.errors = errors
        self.isTruncated = isTruncated
        self.exitCode = exitCode
    }
}
