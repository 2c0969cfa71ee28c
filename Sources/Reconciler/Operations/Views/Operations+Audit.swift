import ReconcilerEngine
package import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime

/// Reads the record of what was done, as it grows.
package struct AuditTrail {
    private var follower: AuditFollower
    private let bottle: Identity?
    private let kinds: Set<String>
    private let start: Timestamp?

    fileprivate init(_ files: AuditFiles, bottle: Identity?, kinds: [AuditKind], start: Timestamp?) {
        follower = AuditFollower(files)
        self.bottle = bottle
        self.kinds = Set(kinds.map(\.rawValue))
        self.start = start
    }

    /// The lines that came since the last call; at first, all there are.
    package mutating func more() throws -> [AuditLine] {
        try follower.more().filter { line in
            (bottle == nil || line.bottle == bottle?.name) && (kinds.isEmpty || kinds.contains(line.what))
                && (start.map { start in Timestamp(rfc3339: line.time).map { $0 >= start } ?? true } ?? true)
        }
    }

    /// Lines that were skipped, since they are not as they were written.
    package var unreadable: Int { follower.unreadable }
}

/// What a check of the whole record and of its checkpoints found: `audit verify -o json`.
package struct AuditProof: Sendable, Encodable {
    package struct Checkpoint: Sendable, Encodable {
        package let sequence: Int
        package let time: String
        /// As the allowed signers name them; nil: not known.
        package fileprivate(set) var signer: String?
    }

    package fileprivate(set) var found: AuditVerification
    package fileprivate(set) var checkpoints: [Checkpoint] = []
    /// Whether it is known who may sign; no part of the document.
    package let namesSigners: Bool

    private enum CodingKeys: String, CodingKey { case apiVersion, kind, checkpoints }

    package func encode(to encoder: any Encoder) throws {
        try found.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("bottle/v1", forKey: .apiVersion)
        try container.encode("AuditVerification", forKey: .kind)
        try container.encode(checkpoints, forKey: .checkpoints)
    }
}

extension Operations {
    /// What is on record.
    ///
    /// - Parameters:
    ///   - bottle: nil: of all.
    ///   - kinds: empty: all.
    ///   - span: only what was recorded within this time; nil: all.
    package func audit(of bottle: Identity?, kinds: [AuditKind], within span: Duration?) -> AuditTrail {
        AuditTrail(AuditFiles(folder: paths.state), bottle: bottle, kinds: kinds, start: span.map { Self.ago($0) })
    }

    /// Signs the record as it is now.
    ///
    /// - Parameter key: the ssh key's file; nil: git's `user.signingKey`.
    /// - Throws: `BottleError` `audit-empty`, `no-signing-key`, `audit-not-whole`.
    package func signAudit(key: String?) async throws -> AuditCheckpoint {
        guard let state = try state() else {
            throw BottleError(.auditEmpty, "nothing is on record yet that could be signed", at: paths.state)
        }
        var chosen = key
        if chosen == nil { chosen = await gitPath("user.signingKey") }
        guard let chosen else {
            throw BottleError(
                .noSigningKey,
                "there is no ssh key to sign with",
                remedy: "name one with --key, or set git's user.signingKey to a key's file"
            )
        }
        let ssh = SSHSignature(environment: environment)
        return try await AuditLog(state).checkpoint(at: Self.moment()) { try await ssh.sign($0, key: chosen) }
    }

    /// Checks every line of the record, and the signatures of its checkpoints.
    ///
    /// - Parameters:
    ///   - kept: files with checkpoints that were kept elsewhere.
    ///   - allowedSigners: a file that says who may sign; nil: git's `gpg.ssh.allowedSignersFile`.
    package func verifyAudit(kept: [String], allowedSigners: String?) async throws -> AuditProof {
        let files = AuditFiles(folder: paths.state)
        let (found, checkpoints) = try files.check(kept: try kept.map { try files.checkpoint(at: $0) })
        var signers = allowedSigners
        if signers == nil, !checkpoints.isEmpty { signers = await gitPath("gpg.ssh.allowedSignersFile") }
        var proof = AuditProof(found: found, namesSigners: signers != nil)
        for checkpoint in checkpoints {
            var item = AuditProof.Checkpoint(sequence: checkpoint.sequence, time: checkpoint.time)
            do {
                item.signer = try await signer(of: checkpoint, signers)
            } catch let error as BottleError where error.code == .badSignature {
                proof.found.problems.append(
                    .init(
                        problem: .signature,
                        file: "audit.jsonl",
                        line: 0,
                        sequence: checkpoint.sequence,
                        message: "the checkpoint of line \(checkpoint.sequence): \(error.summary)"
                    )
                )
            }
            proof.checkpoints.append(item)
        }
        return proof
    }

    /// - Returns: nil when the signature holds, and it is not known who may sign.
    private func signer(of checkpoint: AuditCheckpoint, _ signers: String?) async throws -> String? {
        let ssh = SSHSignature(environment: environment)
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

    /// A path in the operator's git settings; nil when it isn't set, or git isn't there.
    private func gitPath(_ name: String) async -> String? {
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
