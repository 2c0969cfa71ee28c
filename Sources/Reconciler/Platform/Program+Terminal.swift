import Subprocess

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension Program {
    /// Runs the program interactively on our own terminal, to its end.
    ///
    /// Meanwhile Ctrl-C reaches the program and not us.
    /// - Throws: `Failure`, `CancellationError`. An exit status other than 0 is an outcome, not an error.
    package func runOnTerminal() async throws -> Outcome.Status {
        let before = signal(SIGINT, SIG_IGN)
        defer { _ = signal(SIGINT, before) }
        do {
            let result = try await Subprocess.run(
                try configuration(),
                input: .currentStandardInput,
                output: .currentStandardOutput,
                error: .currentStandardError
            )
            switch result.terminationStatus {
            case .exited(let code): return .exited(code)
            case .signaled(let signal): return .signalled(signal)
            }
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            throw Failure.notRun(executable, reason: error.description)
        }
    }
}
