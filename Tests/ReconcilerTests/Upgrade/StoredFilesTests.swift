import Reconciler
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerState
import ReconcilerTime
import ScratchTestSupport
import Testing

/// The files in `StoredFiles` are those of an installation, as a user who upgrades has them.
@Suite("a program reads the files of earlier ones")
struct StoredFilesTests {
    private static let folder = "\(#filePath.dropLast("StoredFilesTests.swift".count))StoredFiles"

    private static func stored(_ name: String) throws -> [UInt8] {
        try #require(try DurableFile.read("\(folder)/\(name)", limit: 1 << 20))
    }

    /// What is written of a file that was read.
    private static func rewritten<Value: Codable & Sendable>(_ name: String, _: Value.Type) throws -> [UInt8]? {
        let scratch = try Scratch()
        let store = JSONStore<Value>(folder: scratch.path, noun: name)
        let bottle = try Identity("types-fix")
        try DurableFile.write(try stored(name), to: store.path(of: bottle))
        try store.save(try #require(try store.load(bottle)), for: bottle)
        return try DurableFile.read(store.path(of: bottle), limit: 1 << 20)
    }

    @Test("a record, and writes it the same")
    func record() throws {
        #expect(try Self.rewritten("record.json", BottleRecord.self) == Self.stored("record.json"))
    }

    @Test("a status, and writes it the same")
    func status() throws {
        #expect(try Self.rewritten("status.json", BottleStatus.self) == Self.stored("status.json"))
    }

    @Test("an audit log, and goes on with it")
    func audit() throws {
        let scratch = try Scratch()
        let state = try StateFolder.create("\(scratch.path)/state")
        let files = AuditFiles(folder: state.path)
        func lines() throws -> [AuditLine] {
            let bytes = try DurableFile.read(files.current, limit: 1 << 20) ?? []
            return bytes.split(separator: UInt8(ascii: "\n")).compactMap { AuditLine(Array($0)) }
        }
        try DurableFile.write(try Self.stored("audit.jsonl"), to: files.current)
        #expect(try files.check().found.problems == [])
        let before = try lines()
        #expect(before.count == 22)
        #expect(before.last?.details.healed?.kind == "paused")
        #expect("\(before[0].time)" == "2026-12-01T01:46:35Z")
        _ = try AuditLog(state).append([AuditEntry(.edit)], at: Timestamp(seconds: 1_767_225_600))
        #expect(try files.check().found.problems == [])
        let next = try #require(try lines().last)
        #expect(next.sequence == 23 && next.previous == before.last?.hash)
    }

    @Test("a proposal and its answer, and writes them the same")
    func queue() throws {
        let proposal = try Proposal(reading: Self.stored("proposal.json"))
        #expect(try proposal.bytes == Self.stored("proposal.json"))
        #expect(proposal.justification == "line one\nand \"two\" é 😀")
        let answer = try ProposalAnswer(reading: Self.stored("answer.json"))
        #expect(try answer.bytes == Self.stored("answer.json"))
        #expect(answer.id == proposal.id && "\(answer.time)" == "2027-01-15T08:00:01Z")
    }

    @Test("the refusals of a bottle")
    func refusals() throws {
        let stream = RefusalStream(try Self.stored("refusals.jsonl"))
        let refusal = try #require(stream.refusals.first)
        #expect(stream.lost == 4 && stream.unreadable == 0 && refusal.count == 2)
        #expect("\(refusal.first)" == "2026-11-24T03:00:00Z" && "\(refusal.last)" == "2026-11-24T03:00:01.120000000Z")
        #expect(stream.position(of: "f7788e3333de")?.lines == 3)
    }
}
