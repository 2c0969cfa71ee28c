import FoundationEssentials
import ReconcilerManifest
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform

/// A text that an operator edits in an editor of their own, until it reads well or they give up.
///
/// Nothing that they wrote is lost: where it ends with an error, the file stays and the error names it.
struct EditorSession {
    let context: CommandContext
    let identity: Identity
    /// What is edited, as the file's name ends: `routes.yaml`.
    let name: String
    /// How a line begins that is ours and no part of the text: comments on top, removed again on reading.
    private static let mark = "#: "

    init(_ name: String, of identity: Identity, in context: CommandContext) {
        self.name = name
        self.identity = identity
        self.context = context
    }

    /// Has `text` edited.
    ///
    /// - Parameters:
    ///   - hints: lines for the top of the file.
    ///   - read: reads what was written; `InvalidManifest` and `BottleError` bring the editor back with the errors on top.
    /// - Returns: what was read; nil when the text is as it was, or empty.
    /// - Throws: `BottleError` `no-editor`, `edit-abandoned`.
    func edit<Value>(_ text: String, hints: [String], read: (String) throws -> Value) async throws -> Value? {
        let folder = "\(try context.operations.editsFolder())/\(POSIX.randomHexadecimal())"
        try POSIX.makeFolder(folder)
        let path = "\(folder)/\(identity)-\(name)"
        let text = Self.normalised(text)
        var shown = text
        var notes = hints
        var last: (any Error)?
        while true {
            let head = notes.map { "\(Self.mark)\($0)\n" }.joined()
            try DurableFile.write(Array((head + shown).utf8), to: path)
            try await runEditor(on: path)
            let written = try self.text(at: path)
            guard written != shown || last == nil else {
                throw abandoned(path, because: last)
            }
            guard written != text, !written.allSatisfy(\.isWhitespace) else {
                try POSIX.removeTree(folder)
                return nil
            }
            do {
                let value = try read(written)
                try POSIX.removeTree(folder)
                return value
            } catch let invalid as InvalidManifest {
                last = invalid
                notes =
                    hints + ["", "It can't be taken as it is:"] + lines(DiagnosticPrinter().text(invalid.diagnostics))
            } catch let error as BottleError {
                last = error
                notes = hints + ["", "It can't be taken as it is:"] + lines(error.summary)
            }
            shown = written
        }
    }

    private func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { VisibleText.line(String($0), limit: 400) }
    }

    /// What is in the file, without our own lines.
    private func text(at path: String) throws -> String {
        let bytes = try DurableFile.read(path, limit: YAMLLimits.stored.bytes) ?? []
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw BottleError(.editAbandoned, "what was written is not UTF-8", at: path)
        }
        return Self.normalised(text).split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix(Self.mark.dropLast()) }.joined(separator: "\n")
    }

    /// With one kind of line break, whatever the editor or the agent has: to Swift `\r\n` is a character of its own.
    private static func normalised(_ text: String) -> String { text.replacing("\r\n", with: "\n") }

    private func runEditor(on path: String) async throws {
        let chosen = ["VISUAL", "EDITOR"].compactMap { context.environment[$0] }.first { !$0.isEmpty } ?? "vi"
        let words = chosen.split(separator: " ").map(String.init)
        guard let program = words.first else { throw BottleError(.noEditor, "EDITOR names no program") }
        let status: Program.Outcome.Status
        do {
            status = try await Program(
                program,
                Array(words.dropFirst()) + [path],
                environment: context.environment,
                hasOwnGroup: false
            ).runOnTerminal()
        } catch let failure as Program.Failure {
            throw BottleError(
                .noEditor,
                "the editor can't be run",
                at: chosen,
                remedy: "set EDITOR to an editor",
                cause: "\(failure)"
            )
        }
        guard status == .exited(0) else {
            throw BottleError(
                .editAbandoned,
                "the editor did not end well: nothing was changed",
                at: path,
                remedy: "what was written is in this file"
            )
        }
    }

    private func abandoned(_ path: String, because error: (any Error)?) -> BottleError {
        BottleError(
            .editAbandoned,
            "it still can't be taken as it is: nothing was changed",
            at: path,
            remedy: "what was written is in this file",
            cause: (error as? InvalidManifest)?.diagnostics.first?.message ?? (error as? BottleError)?.summary
        )
    }
}
