import FoundationEssentials
import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// A failure to measure, in words for a person.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// One run of another program, without a shell.
///
/// What the program needs of the environment is added to ours.
struct Command: Sendable {
    let words: [String]
    let environment: [String: String]

    init(_ words: [String], environment: [String: String] = [:]) {
        self.words = words
        self.environment = environment
    }

    /// Runs the program to its end and returns its standard output; a cancelled task kills it.
    ///
    /// - Throws: `BenchError` with all that it wrote, when its exit status is not 0.
    @discardableResult
    func run() async throws -> String {
        let result = try await outcome()
        guard result.succeeded else {
            let what = "\(words.joined(separator: " ")): \(result.status)"
            throw BenchError("\(what)\n\(result.output)\(result.errors)")
        }
        return result.output
    }

    /// Runs the program to its end, whatever its exit status is.
    func outcome() async throws -> (succeeded: Bool, status: TerminationStatus, output: String, errors: String) {
        let limit = 64 << 20
        let result = try await Subprocess.run(
            configuration(),
            output: .string(limit: limit),
            error: .string(limit: limit)
        )
        try Task.checkCancellation()
        let status = result.terminationStatus
        return (status.isSuccess, status, result.standardOutput, result.standardError)
    }

    /// Runs `body` beside the program, whose output goes to files, and ends the program after it.
    func running<Value: Sendable>(
        output: String,
        errors: String? = nil,
        end: Signal = .terminate,
        _ body: (_ process: Int32) async throws -> Value
    ) async throws -> Value {
        try await Subprocess.run(
            configuration(),
            input: .none,
            output: .fileDescriptor(try Self.file(output), closeAfterSpawningProcess: true),
            error: .fileDescriptor(try Self.file(errors ?? "/dev/null"), closeAfterSpawningProcess: true)
        ) { execution in
            defer { try? execution.send(signal: end) }
            return try await body(execution.processIdentifier.value)
        }.closureResult
    }

    private static func file(_ path: String) throws -> FileDescriptor {
        try FileDescriptor.open(
            FilePath(path),
            .writeOnly,
            options: [.create, .truncate],
            permissions: [.ownerReadWrite, .groupRead, .otherRead]
        )
    }

    private func configuration() -> Configuration {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero)]
        let changes = environment.map { (Environment.Key(stringLiteral: $0.key), Optional($0.value)) }
        return Configuration(
            executable: .path(FilePath(Self.path(of: words[0]))),
            arguments: Arguments(Array(words.dropFirst())),
            environment: .inherit.updating(Dictionary(changes) { _, last in last }),
            platformOptions: options
        )
    }

    /// Looked up here: the library would start a process for each folder of PATH that lacks the program.
    private static func path(of program: String) -> String {
        guard !program.contains("/") else { return program }
        let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
        return folders.map { "\($0)/\(program)" }.first(where: FileManager.default.isExecutableFile) ?? program
    }
}

/// Tells the person what goes on.
func note(_ text: String) { FileDescriptor.standardError.print(text) }

/// Milliseconds since 1970, of the clock that this process shares with containers.
func now() -> Double { Date().timeIntervalSince1970 * 1000 }

/// Runs `body` and returns how many milliseconds it took.
func milliseconds(_ body: () async throws -> Void) async rethrows -> Double {
    let begun = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - begun) / .milliseconds(1)
}

/// Asks until there is an answer.
///
/// - Throws: `BenchError` after that many seconds.
func poll<Value>(
    _ what: String,
    every pause: Duration = .milliseconds(50),
    seconds: Int = 30,
    _ ask: () async throws -> Value?
) async throws -> Value {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if let value = try await ask() { return value }
        try await Task.sleep(for: pause)
    }
    throw BenchError("\(what): not within \(seconds) s")
}

extension FileDescriptor {
    func print(_ text: String) { _ = try? writeAll(Array("\(text)\n".utf8)) }
}

/// The text of a file; empty where there is none.
func text(of path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

func writeFile(_ text: String, to path: String) throws {
    try FileManager.default.createDirectory(
        atPath: String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)),
        withIntermediateDirectories: true
    )
    try Data(text.utf8).write(to: URL(filePath: path))
}
