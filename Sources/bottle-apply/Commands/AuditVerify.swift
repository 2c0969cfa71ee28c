import ArgumentParser
import Reconciler
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState

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
        let files = AuditFiles(folder: context.paths.state)
        var (found, checkpoints) = try files.check(kept: try checkpoint.map { try files.checkpoint(at: $0) })
        var signers = allowedSigners
        if signers == nil, !checkpoints.isEmpty {
            signers = await context.gitPath("gpg.ssh.allowedSignersFile")
        }
        var signed: [SignedCheckpoint] = []
        for checkpoint in checkpoints {
            var item = SignedCheckpoint(sequence: checkpoint.sequence, time: checkpoint.time)
            do {
                item.signer = try await signer(of: checkpoint, signers, context)
            } catch let error as BottleError where error.code == .badSignature {
                found.problems.append(
                    .init(
                        problem: .signature,
                        file: "audit.jsonl",
                        line: 0,
                        sequence: checkpoint.sequence,
                        message: "the checkpoint of line \(checkpoint.sequence): \(error.summary)"
                    )
                )
            }
            signed.append(item)
        }
        let document = AuditVerificationDocument(found: found, checkpoints: signed)
        if context.format.isDocument {
            context.console.out(try context.format.text(of: document))
        } else {
            context.console.out(text(document, namesSigners: signers != nil))
        }
        if !found.isWhole { throw ExitStatus.failure }
    }

    /// - Returns: nil when the signature holds, and nobody said who may sign.
    private func signer(
        of checkpoint: AuditCheckpoint,
        _ signers: String?,
        _ context: CommandContext
    ) async throws -> String? {
        let ssh = SSHSignature(environment: context.environment)
        guard let signers else {
            try await ssh.check(checkpoint.payload, signature: checkpoint.signature)
            return nil
        }
        return try await ssh.signer(
            of: checkpoint.payload,
            signature: checkpoint.signature,
            allowedSigners: signers,
            time: checkpoint.time
        )
    }

    private func text(_ document: AuditVerificationDocument, namesSigners: Bool) -> String {
        let found = document.found
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
        if let last = document.checkpoints.max(by: { $0.sequence < $1.sequence }) {
            let by = last.signer.map { " by \(VisibleText.line($0, limit: 100))" } ?? ""
            let count = document.checkpoints.count == 1 ? "1 checkpoint" : "\(document.checkpoints.count) checkpoints"
            lines.append("\(count), the last of line \(last.sequence)\(by), \(VisibleText.line(last.time, limit: 40))")
            if !namesSigners { lines.append("note: who signed is not checked: name --allowed-signers") }
        } else {
            lines.append("note: without a checkpoint a cut-off end does not show; see `bottle audit checkpoint --help`")
        }
        return lines.joined(separator: "\n")
    }
}

/// `audit verify -o json`.
private struct AuditVerificationDocument: Encodable {
    var found: AuditVerification
    var checkpoints: [SignedCheckpoint]

    private enum CodingKeys: String, CodingKey { case apiVersion, kind, checkpoints }

    func encode(to encoder: any Encoder) throws {
        try found.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("bottle/v1", forKey: .apiVersion)
        try container.encode("AuditVerification", forKey: .kind)
        try container.encode(checkpoints, forKey: .checkpoints)
    }
}

private struct SignedCheckpoint: Encodable {
    var sequence: Int
    var time: String
    /// As the allowed signers name them; nil: not known.
    var signer: String?
}
