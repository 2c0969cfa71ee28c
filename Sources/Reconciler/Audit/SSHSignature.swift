import ReconcilerModel
import ReconcilerPlatform

/// Signs and checks texts with the operator's ssh keys, through `ssh-keygen -Y`.
package struct SSHSignature: Sendable {
    /// The operator's; of it only what ssh-keygen and an agent or a prompt for a passphrase need is handed on.
    private let environment: [String: String]

    package init(environment: [String: String]) { self.environment = environment }

    /// Keeps a signature for one purpose from being used for another.
    private static let namespace = "bottle-audit"

    /// The signature over `text`, armoured.
    ///
    /// - Parameter key: a private key, or a public one whose private half an ssh agent holds.
    /// - Throws: `BottleError` `not-signed`, with ssh-keygen's words.
    package func sign(_ text: [UInt8], key: String) async throws -> String {
        // In the foreground: it may have to ask for a passphrase.
        let outcome = try await run(["sign", "-f", key], input: text, hasOwnGroup: false)
        guard outcome.succeeded, !outcome.output.isEmpty else {
            throw BottleError(
                .notSigned,
                "ssh-keygen did not sign",
                at: key,
                remedy: "name an ssh key with --key: a private key's file, or a public one's whose agent runs",
                cause: words(outcome)
            )
        }
        return String(decoding: outcome.output, as: UTF8.self)
    }

    /// Who signed `text`, as the file of allowed signers knows them.
    ///
    /// - Parameter time: RFC 3339 in UTC; the key must have been allowed then.
    /// - Throws: `BottleError` `bad-signature` when the text is not what was signed or the key is none of theirs.
    package func signer(
        of text: [UInt8],
        signature: String,
        allowedSigners: String,
        time: String
    ) async throws -> String {
        let file = "\(environment["TMPDIR"] ?? "/tmp")/bottle-signature.\(POSIX.randomHexadecimal())"
        _ = try DurableFile.create(Array(signature.utf8), at: file)
        defer { _ = try? POSIX.unlink(file) }
        let moment = "-Overify-time=\(time.filter(\.isNumber).prefix(14))"
        let found = try await run(["find-principals", "-f", allowedSigners, "-s", file, moment])
        guard found.succeeded, let line = String(decoding: found.output, as: UTF8.self).split(separator: "\n").first
        else { throw refused("no signer who is allowed made it", found) }
        // One key may stand under several names, with commas between them.
        let name = String(line.split(separator: ",")[0])
        let check = ["verify", "-f", allowedSigners, "-I", name, "-s", file, moment]
        let outcome = try await run(check, input: text)
        guard outcome.succeeded else { throw refused("it does not hold", outcome) }
        return name
    }

    /// Throws unless `signature` is a signature over `text`, by any signer.
    package func check(_ text: [UInt8], signature: String) async throws {
        let file = "\(environment["TMPDIR"] ?? "/tmp")/bottle-signature.\(POSIX.randomHexadecimal())"
        _ = try DurableFile.create(Array(signature.utf8), at: file)
        defer { _ = try? POSIX.unlink(file) }
        let outcome = try await run(["check-novalidate", "-s", file], input: text)
        guard outcome.succeeded else { throw refused("it does not hold", outcome) }
    }

    private func refused(_ message: String, _ outcome: Program.Outcome) -> BottleError {
        BottleError(.badSignature, message, cause: words(outcome))
    }

    private func words(_ outcome: Program.Outcome) -> String {
        let text = String(decoding: (outcome.errors + outcome.output).prefix(1000), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).joined(separator: "; ")
    }

    private func run(
        _ arguments: [String],
        input: [UInt8] = [],
        hasOwnGroup: Bool = true
    ) async throws -> Program.Outcome {
        let names = ["PATH", "HOME", "SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "DISPLAY", "TERM"]
        var variables = ["LC_ALL": "C", "TZ": "UTC"]
        for name in names { variables[name] = environment[name] }
        do {
            return try await Program(
                "ssh-keygen",
                ["-Y", arguments[0], "-n", Self.namespace] + arguments.dropFirst(),
                environment: variables,
                input: input,
                outputLimit: 1 << 20,
                hasOwnGroup: hasOwnGroup
            ).run()
        } catch let failure as Program.Failure {
            throw BottleError(
                .noSshKeygen,
                "signatures are made and checked by ssh-keygen, which can't be run",
                remedy: "install OpenSSH",
                cause: "\(failure)"
            )
        }
    }
}
