package import ReconcilerModel
import ReconcilerPlatform
package import ReconcilerTime

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension AuditFiles {
    /// Checks every line of every file, and the checkpoints against them.
    ///
    /// Only reads. It remembers about a hundred bytes a line. A batch that is being appended at this moment may show as
    /// an unfinished last line.
    /// - Parameter kept: checkpoints that were kept elsewhere, beside those in the state folder.
    /// - Returns: what was found, and every checkpoint with its signature yet unchecked.
    /// - Throws: `BottleError` `audit-unreadable`.
    package func check(
        kept: [AuditCheckpoint] = []
    ) throws -> (found: AuditVerification, checkpoints: [AuditCheckpoint]) {
        do {
            var chain = AuditChain()
            for reader in try open() {
                var reader = reader
                chain.begin(file: POSIX.name(of: reader.path))
                while let line = try reader.next(takesPart: true) { chain.take(line) }
            }
            var found = chain.finish()
            var checkpoints: [AuditCheckpoint] = []
            for checkpoint in found.checkpoints + (try storedCheckpoints()) + kept
            where !checkpoints.contains(checkpoint) {
                checkpoints.append(checkpoint)
                if let problem = chain.problem(with: checkpoint, last: found.last) { found.problems.append(problem) }
            }
            return (found, checkpoints)
        } catch let error as BottleError {
            throw error
        } catch {
            throw unreadable(current, "\(error)")
        }
    }

    /// The checkpoints beside the log.
    func storedCheckpoints() throws -> [AuditCheckpoint] {
        try (POSIX.names(in: checkpoints) ?? []).filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.map {
            try checkpoint(at: "\(checkpoints)/\($0)")
        }
    }

    /// A checkpoint that was kept in a file.
    ///
    /// - Throws: `BottleError` `audit-unreadable`.
    package func checkpoint(at path: String) throws -> AuditCheckpoint {
        do {
            guard let bytes = try DurableFile.read(path, limit: 64 << 10) else {
                throw unreadable(path, "there is no such file")
            }
            return try JSONDecoder().decode(AuditCheckpoint.self, from: Data(bytes))
        } catch let error as BottleError {
            throw error
        } catch {
            throw unreadable(path, "\(error)")
        }
    }

    /// Keeps a checkpoint beside the log, durable when this returns.
    func store(_ checkpoint: AuditCheckpoint) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try POSIX.makeFolder(checkpoints)
        let digits = String(checkpoint.sequence)
        let name = String(repeating: "0", count: max(0, 12 - digits.count)) + digits
        let bytes = Array(try encoder.encode(checkpoint)) + [UInt8(ascii: "\n")]
        // Two of one line say the same; the first stays.
        _ = try DurableFile.create(bytes, at: "\(checkpoints)/\(name).json")
        try DurableFile.synchronizeFolder(folder)
    }

    private func unreadable(_ path: String, _ cause: String) -> BottleError {
        BottleError(
            .auditUnreadable,
            "the audit log can't be read",
            at: path,
            remedy: "mend its permissions or name another file; nothing was changed",
            cause: cause
        )
    }
}

extension AuditChain {
    /// What is wrong between a checkpoint and the chain; nil: the line that it signed is there.
    func problem(with checkpoint: AuditCheckpoint, last: AuditLine.Link?) -> AuditVerification.Problem? {
        func problem(_ kind: AuditVerification.Problem.Kind, _ message: String) -> AuditVerification.Problem {
            .init(problem: kind, file: "audit.jsonl", line: 0, sequence: checkpoint.sequence, message: message)
        }
        let made = "the checkpoint of \(AuditText.bounded(checkpoint.time, 40))"
        guard checkpoint.sequence <= last?.sequence ?? 0 else {
            return problem(.cutOff, "the log ends at \(last?.sequence ?? 0); \(made) signed \(checkpoint.sequence)")
        }
        guard let hash = hashes[checkpoint.sequence], hash != checkpoint.hash else { return nil }
        return problem(.rewritten, "line \(checkpoint.sequence) is another than \(made) signed")
    }
}

extension AuditLog {
    /// Signs the log as it is now, keeps the checkpoint beside it and puts it on record.
    ///
    /// - Parameter sign: makes the signature over a text.
    /// - Throws: `BottleError` `audit-empty`, and what `sign` and `append` throw; if the process dies here the
    ///   checkpoint is beside the log and not in it, which does no harm.
    package func checkpoint(
        at time: Timestamp,
        sign: ([UInt8]) async throws -> String
    ) async throws -> AuditCheckpoint {
        let files = AuditFiles(folder: folder)
        let (found, _) = try files.check()
        guard let last = found.last else {
            throw BottleError(.auditEmpty, "nothing is on record yet that could be signed", at: files.current)
        }
        if let problem = found.problems.first {
            throw BottleError(
                .auditNotWhole,
                "the audit log is not whole, and a signature would cover that: \(problem.message)",
                at: "\(problem.file):\(problem.line)",
                remedy: "see `bottle audit verify`"
            )
        }
        var checkpoint = AuditCheckpoint(installation: installation.text, link: last, time: time.description)
        checkpoint.signature = try await sign(checkpoint.payload)
        do {
            try files.store(checkpoint)
        } catch {
            throw BottleError(
                .auditUnwritable,
                "the checkpoint can't be kept",
                at: files.checkpoints,
                cause: "\(error)"
            )
        }
        var details = AuditDetails()
        details.checkpoint = checkpoint
        try append([AuditEntry(.checkpoint, details: details)], at: time)
        return checkpoint
    }
}
