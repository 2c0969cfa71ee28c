import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime
import ScratchTestSupport

/// An audit log of one test.
struct AuditFixture {
    let scratch: Scratch
    let state: StateFolder

    /// 2026-01-01T00:00:00Z.
    static let time = Timestamp(seconds: 1_767_225_600)

    init() throws {
        scratch = try Scratch()
        state = try StateFolder.create("\(scratch.path)/state")
    }

    /// A fixture whose log has so many lines, of several kinds and lengths.
    init(lines: Int) throws {
        try self.init()
        for number in 0..<lines {
            var details = AuditDetails()
            details.reason = "reason \(number): " + String(repeating: "é", count: number % 7)
            let kind = AuditKind.allCases[number % AuditKind.allCases.count]
            let revision = Revision(ContentDigest(of: "r\(number)").hex)
            let entry = AuditEntry(kind, bottle: try Identity("dev"), revision: revision, details: details)
            _ = try AuditLog(state).append([entry], at: Self.time)
        }
    }

    /// A fixture whose `audit.jsonl` holds these lines.
    init(holding lines: [[UInt8]], of other: AuditFixture) throws {
        scratch = try Scratch()
        state = other.state
        try DurableFile.write(lines.flatMap { $0 + [UInt8(ascii: "\n")] }, to: "\(scratch.path)/audit.jsonl")
    }

    var log: AuditLog { AuditLog(state) }
    var path: String { AuditFiles(folder: state.path).current }

    func bytes() throws -> [UInt8] { try DurableFile.read(path, limit: 64 << 20) ?? [] }

    /// The lines of `audit.jsonl`, without newlines.
    func lines() throws -> [[UInt8]] { try bytes().split(separator: UInt8(ascii: "\n")).map(Array.init) }

    func check() throws -> AuditVerification { try AuditFiles(folder: state.path).check().found }

    /// What is found in a log of these lines.
    func found(in lines: [[UInt8]]) throws -> [String] {
        let other = try AuditFixture(holding: lines, of: self)
        return try AuditFiles(folder: other.scratch.path).check().found.problems.map(\.text)
    }

    /// A note of `text`.
    static func note(_ text: String) -> AuditEntry {
        var details = AuditDetails()
        details.reason = text
        return AuditEntry(.edit, details: details)
    }
}

extension AuditVerification.Problem {
    /// `changed audit.jsonl:3 #3`.
    var text: String { "\(problem.rawValue) \(file):\(line)\(sequence.map { " #\($0)" } ?? "")" }
}

/// The line with its hash made right for what it says now.
func rehashed(_ line: [UInt8]) -> [UInt8] {
    let object = line.dropLast(75) + [UInt8(ascii: "}")]
    return line.dropLast(75) + Array(#","hash":"\#(ContentDigest(of: object).hex)"}"#.utf8)
}
