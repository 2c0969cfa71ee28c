import ReconcilerEngine

/// What a container does in both worlds: a command for the real engine's shell, a program in the in-memory one.
package enum ContainerBehaviour: Sendable, Hashable {
    case sleeps
    case ends(code: Int)
    /// Ends with a code of its own on TERM.
    case endsOnTerm(code: Int)
    case says(output: String, errors: String)
    /// Asks for memory until the kernel ends it; give it a limit.
    case runsOutOfMemory
    /// Reads a file at its start and on SIGHUP, and says in `/run/bottle/loaded` what it has; it needs both folders.
    ///
    /// It begins, and has a handler for the signal, only once another file beside it, with `.go` added to its name,
    /// holds something: a test decides when.
    case reloads(path: String)

    /// The command of a Debian image that does it.
    package var command: [String] {
        switch self {
        case .sleeps: ["sleep", "600"]
        case .ends(let code): ["sh", "-c", "exit \(code)"]
        case .endsOnTerm(let code): ["sh", "-c", "trap 'exit \(code)' TERM; sleep 600 & wait"]
        case .says(let output, let errors): ShellLine.say(output: output, errors: errors, code: 0).command
        case .runsOutOfMemory: ["sh", "-c", "tail /dev/zero; exit $?"]
        case .reloads(let path):
            [
                "sh", "-c",
                """
                load() { h=$(sha256sum \(path) | sha256sum | cut -d' ' -f1); ln -sfn /$h/ok /run/bottle/new
                mv -T /run/bottle/new /run/bottle/loaded; }
                until [ -s \(path).go ]; do sleep 0.02; done
                asked=; trap 'asked=1' HUP; load
                while :; do sleep 0.02; if [ $asked ]; then asked=; load; fi; done
                """,
            ]
        }
    }

    /// The program that does it.
    package var program: any ContainerProgram {
        switch self {
        case .sleeps: PlainProgram()
        case .ends(let code): PlainProgram(endsAfter: 1, code: code)
        case .endsOnTerm(let code): PlainProgram(codeOnTerm: code)
        case .says(let output, let errors):
            PlainProgram(
                endsAfter: 2,
                saying: [OutputFrame(.output, Array(output.utf8)), OutputFrame(.errors, Array(errors.utf8))]
            )
        case .runsOutOfMemory: PlainProgram(endsAfter: 2, outOfMemory: true)
        case .reloads(let path): ReloadingProgram(reading: [path], moments: 4, after: path + ".go")
        }
    }

    /// An image whose containers do what of `behaviours` their command asks for, and sleep otherwise.
    package static func image(_ tag: String, _ behaviours: [ContainerBehaviour], files: FileTree) -> MemoryImage {
        MemoryImage(id: "sha256:" + String(repeating: "ba5e", count: 16), tags: [tag], files: files) { config in
            behaviours.first { $0.command == config.command }?.program ?? PlainProgram()
        }
    }
}
