import ArgumentParser
import Reconciler
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState

struct AuditCheckpointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Sign the record as it is now with an ssh key.",
        discussion: """
            The signature goes beside the log and into it, and is printed with -o json: keep copies where whoever can \
            write to the state folder can't.

              bottle audit checkpoint
              bottle audit checkpoint --key ~/.ssh/id_ed25519 -o json > checkpoint.json
            """
    )

    @Option(name: .long, help: "The ssh key: private, or public with an agent; default: git's user.signingKey.")
    var key: String?

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        guard let state = try StateFolder.open(context.paths.state) else {
            throw BottleError(.auditEmpty, "nothing is on record yet that could be signed", at: context.paths.state)
        }
        var chosen = key
        if chosen == nil { chosen = await context.gitPath("user.signingKey") }
        guard let chosen else {
            throw BottleError(
                .noSigningKey,
                "there is no ssh key to sign with",
                remedy: "name one with --key, or set git's user.signingKey to a key's file"
            )
        }
        let ssh = SSHSignature(environment: context.environment)
        let checkpoint = try await AuditLog(state).checkpoint(at: CommandContext.now()) { text in
            try await ssh.sign(text, key: chosen)
        }
        try context.show(checkpoint) { "signed the record up to line \(checkpoint.sequence), \(checkpoint.hash)" }
    }
}

extension CommandContext {
    /// A path in the operator's git settings; nil when it isn't set, or git isn't there.
    func gitPath(_ name: String) async -> String? {
        var variables = ["LC_ALL": "C"]
        for name in ["PATH", "HOME", "XDG_CONFIG_HOME"] { variables[name] = environment[name] }
        let git = Program(
            "git",
            ["config", "--type=path", "--get", name],
            environment: variables,
            outputLimit: 64 << 10
        )
        guard let outcome = try? await git.run(), outcome.succeeded else { return nil }
        let path = String(decoding: outcome.output.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return path.isEmpty ? nil : path
    }
}
