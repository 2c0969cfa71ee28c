import ArgumentParser

/// How the process ends (SPEC 10); wrong usage is 64, which the argument parser sees to.
enum ExitStatus {
    static let failure = ExitCode(1)
    static let changesPending = ExitCode(2)
    /// 128 + SIGINT.
    static let interrupted: Int32 = 130
}
