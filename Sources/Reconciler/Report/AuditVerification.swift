/// What a check of the whole audit log found.
package struct AuditVerification: Sendable, Hashable, Encodable {
    /// One thing that is not as it was written.
    package struct Problem: Sendable, Hashable, Encodable {
        package enum Kind: String, Sendable, Hashable, Encodable {
            /// The line is not what was written there.
            case changed
            /// Lines that were written are not there.
            case removed
            /// The line stands in another place than it was written at.
            case reordered
            /// The line was not written between its neighbours.
            case inserted
            /// The log ends before a line that a checkpoint signed.
            case cutOff = "cut-off"
            /// A checkpoint signed another line under this number.
            case rewritten
            /// A checkpoint's signature does not hold.
            case signature = "bad-signature"
        }

        package var problem: Kind
        /// The name of the file in the state folder.
        package var file: String
        /// From 1; where something was removed, the line that stands before the gap (0: the file begins with it).
        package var line: Int
        /// The number in the chain that it concerns, where it is known.
        package var sequence: Int?
        package var message: String

        package init(problem: Kind, file: String, line: Int, sequence: Int?, message: String) {
            self.problem = problem
            self.file = file
            self.line = line
            self.sequence = sequence
            self.message = message
        }
    }

    /// What a writer that died left behind: no damage.
    package struct Torn: Sendable, Hashable, Encodable {
        package var file: String
        package var line: Int
        /// The line that sets it aside; nil: the next append will.
        package var notedBy: Int?

        package init(file: String, line: Int, notedBy: Int?) {
            self.file = file
            self.line = line
            self.notedBy = notedBy
        }
    }

    package init() {}

    /// Whether nothing was changed, removed, reordered or inserted, as far as the chain and the checkpoints show.
    package var isWhole: Bool { problems.isEmpty }
    /// Whole lines that are in the chain.
    package var lines = 0
    package var files: [String] = []
    /// The chain's last line; nil: there is none.
    package var last: AuditLine.Link?
    package var problems: [Problem] = []
    package var torn: [Torn] = []
    /// The checkpoints that are lines of the log.
    package var checkpoints: [AuditCheckpoint] = []

    private enum CodingKeys: String, CodingKey {
        case whole, lines, files, lastSequence, lastHash, problems, torn
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(isWhole, forKey: .whole)
        try container.encode(lines, forKey: .lines)
        try container.encode(files, forKey: .files)
        try container.encode(last?.sequence, forKey: .lastSequence)
        try container.encode(last?.hash, forKey: .lastHash)
        try container.encode(problems, forKey: .problems)
        try container.encode(torn, forKey: .torn)
    }
}
