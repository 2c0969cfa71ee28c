import ReconcilerModel
import ReconcilerPlatform

/// The git program, run on one repository so that nothing of the user's or the repository's making runs with it.
///
/// No `GIT_*` variable, system or global configuration, hook, template, filter, attribute or replacement object has a
/// say. Only plumbing is used: commands whose behaviour no configuration changes.
struct Git: Sendable {
    /// The folder above `.git`.
    let workTree: String
    /// The user's environment; only `PATH` is used, for reading the user's name `HOME` and `XDG_CONFIG_HOME`, and for
    /// signing what leads to keys and agents.
    let environment: [String: String]

    var folder: String { "\(workTree)/.git" }

    /// Runs one command on the repository.
    func run(
        _ arguments: [String],
        input: [UInt8] = [],
        variables: [String: String] = [:],
        outputLimit: Int = 64 << 20
    ) async throws -> Program.Outcome {
        try await Program(
            "git",
            Self.settings + ["--git-dir=\(folder)", "--work-tree=\(workTree)"] + arguments,
            environment: isolated.merging(variables) { $1 },
            workingFolder: workTree,
            input: input,
            outputLimit: outputLimit
        ).run()
    }

    /// Runs one command that must succeed, and returns its output.
    func output(
        _ arguments: [String],
        input: [UInt8] = [],
        variables: [String: String] = [:]
    ) async throws -> [UInt8] {
        let outcome = try await run(arguments, input: input, variables: variables)
        guard outcome.succeeded else { throw Refusal(command: arguments.first ?? "", outcome: outcome) }
        return outcome.output
    }

    /// Runs one command that must succeed, and returns its output without the last newline.
    func line(_ arguments: [String], input: [UInt8] = [], variables: [String: String] = [:]) async throws -> String {
        let text = String(
            decoding: try await output(arguments, input: input, variables: variables),
            as: UTF8.self
        )
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// Makes the repository, empty, from no template.
    func initialize() async throws {
        // Without --git-dir: with it, git would write the folder's present path into the configuration.
        let outcome = try await Program(
            "git",
            Self.settings + ["init", "--quiet", "--template=", "--initial-branch=main", workTree],
            environment: isolated,
            workingFolder: workTree
        ).run()
        guard outcome.succeeded else { throw Refusal(command: "init", outcome: outcome) }
    }

    /// The same; no name is worth failing a commit for.
    func `operator`() async -> GitUser { (try? await user()) ?? GitUser() }

    /// What this user's git knows of them; nothing where it can't be read.
    ///
    /// Reads configuration, which runs nothing.
    func user() async throws -> GitUser {
        var variables = ["PATH": isolated["PATH"], "LC_ALL": "C"].compactMapValues { $0 }
        for name in ["HOME", "XDG_CONFIG_HOME"] { variables[name] = environment[name] }
        let wanted = #"^(user\.(name|email|signingkey)|commit\.gpgsign|gpg\..*)$"#
        let outcome = try await Program(
            "git",
            ["--git-dir=\(folder)", "config", "--null", "--show-scope", "--get-regexp", wanted],
            environment: variables,
            workingFolder: workTree,
            outputLimit: 1 << 20
        ).run()
        // 1: nothing is set. A broken configuration file (128 and others) is the user's to mend, and no reason to stop.
        return outcome.succeeded ? GitUser(configuration: outcome.output) : GitUser()
    }

    /// Makes a commit that nothing refers to yet, and tells its id.
    ///
    /// - Parameter user: signs it if their configuration says so.
    func commit(tree: String, parents: [String], message: String, author: Author, by user: GitUser) async throws
        -> String
    {
        var settings: [String] = []
        var variables = author.variables
        if user.signs {
            settings = user.signing.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
            // Where the programs that sign find keys and agents.
            for name in ["HOME", "SSH_AUTH_SOCK", "GNUPGHOME", "GPG_TTY", "XDG_RUNTIME_DIR"] {
                variables[name] = environment[name]
            }
        }
        let command = settings + ["commit-tree", tree] + parents.flatMap { ["-p", $0] } + (user.signs ? ["-S"] : [])
        let outcome = try await run(command + ["-F", "-"], input: Array(message.utf8), variables: variables)
        guard outcome.succeeded else {
            throw Refusal(command: user.signs ? "sign" : "commit-tree", outcome: outcome)
        }
        return String(decoding: outcome.output.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// A command that ended with another status than 0.
    struct Refusal: Error, CustomStringConvertible {
        let command: String
        let outcome: Program.Outcome

        var text: String {
            String(decoding: outcome.errors.prefix(4096), as: UTF8.self)
                .split(separator: "\n").joined(separator: "; ")
        }

        var description: String { "git \(command): \(text.isEmpty ? "\(outcome.status)" : text)" }
    }

    private var isolated: [String: String] {
        [
            "PATH": environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
            "LC_ALL": "C",
            "TZ": "UTC",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
        ]
    }

    private static let settings = [
        "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.attributesFile=/dev/null", "core.autocrlf=false",
        "core.fsync=all", "core.logAllRefUpdates=true", "core.filesRefLockTimeout=3000", "gc.auto=0",
        "maintenance.auto=false", "init.defaultObjectFormat=sha1", "protocol.allow=never",
    ].flatMap { ["-c", $0] }
}
