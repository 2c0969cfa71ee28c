import ArgumentParser
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform

struct AuditVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Find every line of the record that was changed, removed, moved or put in; exits 1 if there is one.",
        discussion: """
            A cut-off end, and a log written anew as a whole, show only against a checkpoint; keep some elsewhere.

              bottle audit verify
              bottle audit verify --checkpoint checkpoint.json --allowed-signers signers
            """
    )

    @Option(name: .long, help: "Who may sign checkpoints (see ssh-keygen); default: git's gpg.ssh.allowedSignersFile.")
    var allowedSigners: String?

    @Option(name: .long, help: "A checkpoint that was kept elsewhere; may be given again.")
    var checkpoint: [String] = []

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let proof = try await context.operations.verifyAudit(kept: checkpoint, allowedSigners: allowedSigners)
        try context.show(proof) { text(of: proof) }
        if !proof.found.isWhole { throw ExitStatus.failure }
    }

    private func text(of proof: AuditProof) -> String {
        let found = proof.found
        var lines = found.problems.map { problem in
            let place = problem.line > 0 ? "\(problem.file):\(problem.line)" : problem.file
            return "\(place): \(problem.problem.rawValue): \(VisibleText.line(problem.message, limit: 400))"
        }
        for torn in found.torn {
            let note = torn.notedBy.map { "line \($0) says so" } ?? "the next line will say so"
            lines.append("\(torn.file):\(torn.line): note: a killed writer left a part of a line; \(note)")
        }
        let files = found.files.count == 1 ? "1 file" : "\(found.files.count) files"
        lines.append("\(found.isWhole ? "whole" : "not whole"): \(found.lines) lines in \(files)")
        if let last = proof.checkpoints.max(by: { $0.sequence < $1.sequence }) {
            let by = last.signer.map { " by \(VisibleText.line($0, limit: 100))" } ?? ""
            let count = proof.checkpoints.count == 1 ? "1 checkpoint" : "\(proof.checkpoints.count) checkpoints"
            lines.append("\(count), the last of line \(last.sequence)\(by), \(VisibleText.line(last.time, limit: 40))")
            if !proof.namesSigners { lines.append("note: who signed is not checked: name --allowed-signers") }
        } else {
            lines.append("note: without a checkpoint a cut-off end does not show; see `bottle audit checkpoint --help`")
        }
        return lines.joined(separator: "\n")
    }
}
