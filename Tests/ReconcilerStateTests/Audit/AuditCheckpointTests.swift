import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ScratchTestSupport
import Testing

@Suite("A checkpoint of the audit log")
struct AuditCheckpointTests {
    /// A log of five lines, a checkpoint of it, and who may sign.
    struct Signed {
        let fixture: AuditFixture
        let ssh: SSHSignature
        let checkpoint: AuditCheckpoint
        let allowed: String
    }

    static func signed(_ name: String = "signed") async throws -> Signed {
        let fixture = try AuditFixture(lines: 5)
        let folder = fixture.scratch.path
        try await shell(
            "ssh-keygen -q -t ed25519 -N '' -C '' -f key && ssh-keygen -q -t ed25519 -N '' -f other",
            in: folder
        )
        try await shell(#"echo "operator@example.com $(cat key.pub)" > allowed"#, in: folder)
        let ssh = SSHSignature(environment: ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": folder])
        let checkpoint = try await fixture.log.checkpoint(at: AuditFixture.time) { text in
            try await ssh.sign(text, key: "\(folder)/key")
        }
        return Signed(fixture: fixture, ssh: ssh, checkpoint: checkpoint, allowed: "\(folder)/allowed")
    }

    @Test("is signed with the operator's key, beside the log and in it")
    func signs() async throws {
        let signed = try await Self.signed()
        #expect(signed.checkpoint.sequence == 5)
        let signer = try await signed.ssh.signer(
            of: signed.checkpoint.payload,
            signature: signed.checkpoint.signature,
            allowedSigners: signed.allowed,
            time: signed.checkpoint.time
        )
        #expect(signer == "operator@example.com")
        let (found, checkpoints) = try AuditFiles(folder: signed.fixture.state.path).check()
        #expect(found.problems == [])
        #expect(found.lines == 6)
        #expect(checkpoints == [signed.checkpoint])
    }

    @Test("holds for no other text, and for no other key")
    func forged() async throws {
        let signed = try await Self.signed()
        var other = signed.checkpoint
        other.sequence = 4
        await #expect(throws: BottleError.self) {
            try await signed.ssh.check(other.payload, signature: other.signature)
        }
        let folder = signed.fixture.scratch.path
        let foreign = try await signed.ssh.sign(other.payload, key: "\(folder)/other")
        try await signed.ssh.check(other.payload, signature: foreign)
        await #expect(throws: BottleError.self) {
            _ = try await signed.ssh.signer(
                of: other.payload,
                signature: foreign,
                allowedSigners: signed.allowed,
                time: other.time
            )
        }
        await #expect(throws: BottleError.self) {
            _ = try await signed.ssh.sign(other.payload, key: "\(folder)/none")
        }
    }

    @Test("shows a tail that was cut off, and a log that was rewritten")
    func cutOff() async throws {
        let signed = try await Self.signed()
        let files = AuditFiles(folder: signed.fixture.state.path)
        let lines = try signed.fixture.lines()
        for count in 0..<5 {
            let rest = lines[..<count].flatMap { $0 + [UInt8(ascii: "\n")] }
            try DurableFile.write(rest, to: signed.fixture.path)
            #expect(try files.check().found.problems.map(\.text) == ["cut-off audit.jsonl:0 #5"])
        }
        // Only the line of the checkpoint itself is gone: nothing that was signed is.
        try DurableFile.write(lines[..<5].flatMap { $0 + [UInt8(ascii: "\n")] }, to: signed.fixture.path)
        #expect(try files.check().found.problems == [])
        let rewritten = try AuditFixture()
        for number in 0..<7 { try rewritten.log.append([AuditFixture.note("other \(number)")], at: AuditFixture.time) }
        #expect(try AuditFiles(folder: rewritten.state.path).check().found.problems == [])
        let found = try AuditFiles(folder: rewritten.state.path).check(kept: [signed.checkpoint]).found
        #expect(found.problems.map(\.problem) == [.rewritten])
    }

    @Test("is not made of a log that isn't whole, nor of none")
    func refuses() async throws {
        let empty = try AuditFixture()
        await #expect(throws: BottleError.self) {
            _ = try await empty.log.checkpoint(at: AuditFixture.time) { _ in "" }
        }
        let fixture = try AuditFixture(lines: 5)
        var lines = try fixture.lines()
        lines.remove(at: 2)
        try DurableFile.write(lines.flatMap { $0 + [UInt8(ascii: "\n")] }, to: fixture.path)
        await #expect(throws: BottleError.self) {
            _ = try await fixture.log.checkpoint(at: AuditFixture.time) { _ in
                Issue.record("it was signed")
                return ""
            }
        }
    }
}
