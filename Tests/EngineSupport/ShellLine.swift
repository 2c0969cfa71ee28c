package import ReconcilerEngine

/// A command for the real engine's shell, and what it does in the in-memory engine: one meaning, two worlds.
package enum ShellLine: Sendable, Hashable {
    /// Writes a text to a file, as a program inside that edits one does.
    case write(String, to: String)
    case changeMode(UInt32, of: String)
    case remove(String)
    case show(String)
    case say(output: String, errors: String, code: Int)

    /// The command as the engine is asked for it; texts and paths hold no quotes.
    package var command: [String] {
        switch self {
        case .write(let text, let path): ["sh", "-c", "printf %s '\(text)' > '\(path)'"]
        case .changeMode(let mode, let path): ["chmod", String(mode, radix: 8), path]
        case .remove(let path): ["rm", "-f", path]
        case .show(let path): ["cat", path]
        case .say(let output, let errors, let code):
            ["sh", "-c", "printf %s '\(output)'; printf %s '\(errors)' >&2; exit \(code)"]
        }
    }

    /// Reads a command that `command` made; nil for every other.
    init?(command: [String]) {
        switch (command.first, command.count) {
        case ("chmod", 3):
            guard let mode = UInt32(command[1], radix: 8) else { return nil }
            self = .changeMode(mode, of: command[2])
        case ("rm", 3): self = .remove(command[2])
        case ("cat", 2): self = .show(command[1])
        case ("true", 1): self = .say(output: "", errors: "", code: 0)
        case ("sh", 3):
            let parts = command[2].split(separator: "'", omittingEmptySubsequences: false).map(String.init)
            if parts.count == 5, parts[0] == "printf %s ", parts[2] == " > " {
                self = .write(parts[1], to: parts[3])
            } else if parts.count == 5, parts[2] == "; printf %s ",
                let code = Int(parts[4].split(separator: " ").last ?? "")
            {
                self = .say(output: parts[1], errors: parts[3], code: code)
            } else {
                return nil
            }
        default: return nil
        }
    }

    /// Does it in a container.
    func run(_ machine: inout ContainerMachine) -> ExecResult {
        func failed(_ words: String) -> ExecResult { ExecResult(errors: Array("\(words)\n".utf8), exitCode: 1) }
        switch self {
        case .write(let text, let path):
            // A shell's redirection keeps mode and owner of a file that is there.
            var node = machine.node(path) ?? FileTree.Node(.file([]), mode: 0o644)
            node.kind = .file(Array(text.utf8))
            node.modifiedAt = machine.now
            return machine.put(node, at: path) ? ExecResult() : failed("\(path): Read-only file system")
        case .changeMode(let mode, let path):
            guard var node = machine.node(path) else { return failed("\(path): No such file or directory") }
            node.mode = mode
            return machine.put(node, at: path) ? ExecResult() : failed("\(path): Read-only file system")
        case .remove(let path):
            machine.remove(path)
            return ExecResult()
        case .show(let path):
            guard let content = machine.read(path) else { return failed("\(path): No such file or directory") }
            return ExecResult(output: content)
        case .say(let output, let errors, let code):
            return ExecResult(output: Array(output.utf8), errors: Array(errors.utf8), exitCode: code)
        }
    }
}

extension EngineState {
    /// Runs a line in a container, with the engine's knowledge.
    package mutating func exec(_ container: String, _ line: ShellLine) throws(EngineError) -> ExecResult {
        try exec(container, ExecCreate(command: line.command))
    }
}
