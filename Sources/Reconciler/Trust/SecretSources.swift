package import ReconcilerModel

/// Looks up the values of secrets: in the settings' `secrets`, else in the environment.
package struct SecretSources: Sendable {
    /// The result of a source's command.
    package struct CommandOutput: Sendable {
        package let succeeded: Bool
        package let output: [UInt8]

        package init(succeeded: Bool, output: [UInt8]) {
            self.succeeded = succeeded
            self.output = output
        }
    }

    /// Reads a file of at most `limit` bytes; nil if it doesn't exist.
    package typealias ReadFile = @Sendable (_ path: String, _ limit: Int) throws -> [UInt8]?
    /// Runs a program without a shell, with limits on its output and its time.
    package typealias RunCommand = @Sendable (_ arguments: [String]) async throws -> CommandOutput

    private let sources: [SecretReference: SecretSource]
    private let environment: [String: String]
    private let readFile: ReadFile
    private let runCommand: RunCommand

    package init(
        sources: [SecretReference: SecretSource],
        environment: [String: String],
        readFile: @escaping ReadFile,
        runCommand: @escaping RunCommand
    ) {
        self.sources = sources
        self.environment = environment
        self.readFile = readFile
        self.runCommand = runCommand
    }

    /// The longest value in bytes: the engine passes it on as one environment variable, which Linux limits to 128 KiB.
    package static let valueLimit = 64 << 10

    /// Looks up the values of all `references`.
    ///
    /// Runs commands one after the other, so that two never ask for a passphrase at once.
    /// - Throws: one `BottleError` `secret-unavailable` that names every secret without a value, its source and the
    ///   reason; never a value, nor the output of a command. `CancellationError` goes through.
    package func resolve(_ references: some Collection<SecretReference>) async throws -> [SecretReference: SecretValue]
    {
        let resolution = try await attempt(references)
        guard resolution.failures.isEmpty else { throw resolution.error }
        return resolution.values
    }

    /// Looks up what can be found, and returns the failures instead of throwing them.
    ///
    /// - Parameter runningCommands: false leaves secrets from commands out of both results.
    package func attempt(
        _ references: some Collection<SecretReference>,
        runningCommands: Bool = true
    ) async throws -> Resolution {
        var resolution = Resolution(values: [:], failures: [])
        for reference in Set(references).sorted() {
            let source = sources[reference] ?? .environment(reference.name)
            if case .command = source, !runningCommands { continue }
            do throws(Refusal) {
                resolution.values[reference] = try await value(from: source)
            } catch {
                try Task.checkCancellation()
                resolution.failures.append(
                    Failure(name: reference, source: Self.describe(source), reason: error.reason)
                )
            }
        }
        return resolution
    }

    /// The values found, and the secrets without one.
    package struct Resolution: Sendable {
        package fileprivate(set) var values: [SecretReference: SecretValue]
        package fileprivate(set) var failures: [Failure]

        /// All failures as one error.
        package var error: BottleError {
            let first = failures.first
            return BottleError(
                .secretUnavailable,
                failures.count == 1
                    ? "the secret \(failures[0])"
                    : "\(failures.count) secrets have no value: "
                        + failures.map(\.description).joined(separator: "; "),
                at: failures.map(\.name.name).joined(separator: ", "),
                remedy: "set the variable \(first?.name.name ?? ""), or name its source in the settings: "
                    + "secrets: {\(first?.name.name ?? "NAME"): {env: …} | {file: …} | {command: […]}}"
            )
        }
    }

    /// A secret without a value.
    package struct Failure: Sendable, Hashable, CustomStringConvertible {
        package let name: SecretReference
        /// The source; for a command only the program's name.
        package let source: String
        package let reason: String

        package var description: String { "\(name) from \(source): \(reason)" }
    }

    private struct Refusal: Error { let reason: String }

    private func value(from source: SecretSource) async throws(Refusal) -> SecretValue {
        switch source {
        case .environment(let name):
            guard let value = environment[name], !value.isEmpty else { throw Refusal(reason: "it is not set") }
            return try Self.checked(Array(value.utf8))
        case .file(let path):
            return try Self.checked(try contents(of: path))
        case .command(let arguments):
            guard arguments.first?.isEmpty == false else { throw Refusal(reason: "no program is named") }
            let result: CommandOutput
            do {
                result = try await runCommand(arguments)
            } catch {
                throw Refusal(reason: "\(error)")
            }
            guard result.succeeded else { throw Refusal(reason: "it failed; run it by hand to see why") }
            return try Self.checked(Self.withoutNewline(result.output))
        }
    }

    private func contents(of path: String) throws(Refusal) -> [UInt8] {
        var place = path
        if path.hasPrefix("~/") {
            guard let home = environment["HOME"], home.hasPrefix("/") else { throw Refusal(reason: "HOME is not set") }
            place = home + path.dropFirst()
        }
        let bytes: [UInt8]?
        do {
            bytes = try readFile(place, Self.valueLimit + 2)
        } catch {
            throw Refusal(reason: "\(error)")
        }
        guard let bytes else { throw Refusal(reason: "there is no such file") }
        return Self.withoutNewline(bytes)
    }

    private static func withoutNewline(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.last == UInt8(ascii: "\n") else { return bytes }
        let line = bytes.dropLast()
        return Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
    }

    /// A value that can stand in a header: the egress-proxy refuses every other (`bad-credential`).
    private static func checked(_ bytes: [UInt8]) throws(Refusal) -> SecretValue {
        guard !bytes.isEmpty else { throw Refusal(reason: "it is empty") }
        guard bytes.count <= valueLimit else { throw Refusal(reason: "it is longer than \(valueLimit) bytes") }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw Refusal(reason: "it holds a newline or another control character")
        }
        guard bytes.allSatisfy({ $0 < 0x80 }) else {
            throw Refusal(reason: "it holds a character other than printable ASCII")
        }
        guard bytes.first != 0x20, bytes.last != 0x20 else {
            throw Refusal(reason: "it begins or ends with a blank")
        }
        return SecretValue(String(decoding: bytes, as: UTF8.self))
    }

    private static func describe(_ source: SecretSource) -> String {
        switch source {
        case .environment(let name): "the environment variable \(name)"
        case .file(let path): "the file \(path)"
        case .command(let arguments): "the command '\(arguments.first ?? "")'"
        }
    }
}
