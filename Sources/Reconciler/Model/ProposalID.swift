package import ReconcilerTime

/// The name of a proposal: 24 hexadecimal digits for what is asked for, and 8 for when it was first asked.
///
/// The first part is the same for the same question of the same bottle, so that a call that is repeated finds its
/// proposal again; the second tells a question that was answered from the one that is asked again later.
package struct ProposalID: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let text: String

    /// - Throws: `InvalidValue` unless `text` is 32 lowercase hexadecimal digits.
    package init(_ text: String) throws(InvalidValue) {
        guard text.utf8.count == 32, text.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            throw InvalidValue(kind: "proposal id", text: text, rule: "32 lowercase hexadecimal digits")
        }
        self.text = text
    }

    /// A new id for a question.
    ///
    /// - Parameter last: the newest one of the same question; the new one is always another.
    package init(question: String, at time: Timestamp, after last: ProposalID? = nil) {
        let earliest = last.map { $0.generation &+ 1 } ?? 0
        let generation = max(UInt32(clamping: time.seconds), earliest)
        let digits = String(generation, radix: 16)
        text = question + String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// The part that stands for what is asked for.
    package var question: String { String(text.prefix(24)) }

    private var generation: UInt32 { UInt32(text.suffix(8), radix: 16) ?? 0 }

    /// What stands for a question of a bottle: 24 hexadecimal digits.
    ///
    /// - Parameter canonical: one text for one meaning.
    package static func question(_ bottle: Identity, _ tool: ProposalTool, _ canonical: String) -> String {
        String(ContentDigest(of: "proposal 1\n\(bottle)\n\(tool.rawValue)\n\(canonical)").hex.prefix(24))
    }

    package var description: String { text }

    package static func < (left: ProposalID, right: ProposalID) -> Bool { left.text < right.text }
}
