import Subprocess

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// One run of another program, without a shell.
///
/// Built on swift-subprocess of the Swift project: its pipes can't deadlock, and no descriptor leaks into the child.
package struct Program: Sendable, Hashable {
    /// A path, or a name to look up in the `PATH` of `environment`.
    package var executable: String
    package var arguments: [String]
    /// The child's whole environment.
    package var environment: [String: String]
    package var workingFolder: String?
    package var input: [UInt8]
    /// The most bytes to read of standard output, and of standard error.
    package var outputLimit: Int
    package var timeLimit: Duration?
    /// Whether the child leaves the terminal's foreground group: Ctrl-C then reaches only us, and the child can't
    /// prompt.
    package var hasOwnGroup: Bool

    package init(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String],
        workingFolder: String? = nil,
        input: [UInt8] = [],
        outputLimit: Int = 16 << 20,
        timeLimit: Duration? = nil,
        hasOwnGroup: Bool = true
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingFolder = workingFolder
        self.input = input
        self.outputLimit = outputLimit
        self.timeLimit = timeLimit
        self.hasOwnGroup = hasOwnGroup
    }

    /// The result of a finished program.
    package struct Outcome: Sendable, Hashable {
        package enum Status: Sendable, Hashable { case exited(Int32), signalled(Int32) }

        package let status: Status
        package let output: [UInt8]
        package let errors: [UInt8]

        package init(status: Status, output: [UInt8], errors: [UInt8]) {
            self.status = status
            self.output = output
            self.errors = errors
        }

        package var succeeded: Bool { status == .exited(0) }
    }

    /// Why there is no outcome; never contains arguments, environment or output.
    package enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        case notFound(String)
        case tookTooLong(String, Duration)
        case wroteTooMuch(String, limit: Int)
        case notRun(String, reason: String)

        package var description: String {
            switch self {
            case .notFound(let name): "the program '\(name)' is not found"
            case .tookTooLong(let name, let limit): "'\(name)' took longer than \(limit)"
            case .wroteTooMuch(let name, let limit): "'\(name)' wrote more than \(limit) bytes"
            case .notRun(let name, let reason): "'\(name)' can't be run: \(reason)"
            }
        }
    }

    /// Runs the program to its end.
    ///
    /// A cancelled task or an exceeded time limit kills it with SIGKILL, and its whole group if it has its own.
    /// - Throws: `Failure` or `CancellationError`. An exit status other than 0 is an outcome, not an error.
    package func run() async throws -> Outcome {
        guard let timeLimit else { return try await collect() }
        return try await withThrowingTaskGroup(of: Outcome?.self) { group in
            group.addTask { try await collect() }
            group.addTask {
                try await Task.sleep(for: timeLimit)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let outcome = first else {
                throw Failure.tookTooLong(executable, timeLimit)
            }
            return outcome
        }
    }

    /// Ignores `SIGPIPE`, so that a child that ends without reading its input doesn't end us.
    ///
    /// The library writes to the pipe with `SIGPIPE` on. Children start with the default again.
    private static let ignoresBrokenPipes: Bool = {
        _ = signal(SIGPIPE, SIG_IGN)
        return true
    }()

    /// The program's path.
    ///
    /// We search `PATH`, because swift-subprocess would fork once for each folder without the program.
    private func location() throws -> String {
        guard !executable.contains("/") else { return executable }
        let folders = (environment["PATH"] ?? "").split(separator: ":", omittingEmptySubsequences: false)
        // An empty part of PATH means the working folder; a program in there must be named explicitly.
        for folder in folders where !folder.isEmpty {
            let path = "\(folder)/\(executable)"
            if let status = try? POSIX.status(path, followLinks: true), status.st_mode & S_IFMT == S_IFREG,
                unsafe access(path, X_OK) == 0
            {
                return path
            }
        }
        throw Failure.notFound(executable)
    }

    func configuration() throws -> Configuration {
        _ = Self.ignoresBrokenPipes
        var options = PlatformOptions()
        if hasOwnGroup {
            options.processGroupID = 0
            options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero)]
        }
        let variables = Dictionary(
            environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) },
            uniquingKeysWith: { first, _ in first }
        )
        return Configuration(
            executable: .path(FilePath(try location())),
            arguments: Arguments(arguments),
            environment: .custom(variables),
            workingDirectory: workingFolder.map { FilePath($0) },
            platformOptions: options
        )
    }

    private func collect() async throws -> Outcome {
        let configuration = try configuration()
        do {
            let result = try await collect(configuration)
            // A program that ended by itself has done its work, even if the task was cancelled.
            if case .signalled = result.status { try Task.checkCancellation() }
            return result
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            switch error.code {
            case .executableNotFound: throw Failure.notFound(executable)
            case .outputLimitExceeded: throw Failure.wroteTooMuch(executable, limit: outputLimit)
            default: throw Failure.notRun(executable, reason: error.description)
            }
        }
    }

    private func collect(_ configuration: Configuration) async throws -> Outcome {
        if input.isEmpty {
            let result = try await Subprocess.run(
                configuration,
                output: .bytes(limit: outputLimit),
                error: .bytes(limit: outputLimit)
            )
            return Outcome(result.terminationStatus, result.standardOutput, result.standardError)
        }
        // Not with `input: .array`: swift-subprocess 1.0.2 stops the whole process ("was not closed", its issue 367)
        // if the child ends before it has read everything.
        let result = try await Subprocess.run(
            configuration,
            input: .inputWriter,
            output: .bytes(limit: outputLimit),
            error: .bytes(limit: outputLimit)
        ) { execution in
            let writer = execution.standardInputWriter
            // A child may leave its input unread; its exit status tells whether that was right.
            _ = try? await writer.write(input)
            try await writer.finish()
        }
        return Outcome(result.terminationStatus, result.standardOutput, result.standardError)
    }
}

extension Program.Outcome {
    fileprivate init(_ status: TerminationStatus, _ output: [UInt8], _ errors: [UInt8]) {
        let status: Status =
            switch status {
            case .exited(let code): .exited(code)
            case .signaled(let signal): .signalled(signal)
            }
        self.init(status: status, output: output, errors: errors)
    }
}
