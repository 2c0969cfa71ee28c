package import ReconcilerModel
import ReconcilerPlatform
package import ReconcilerTime

/// What became of a proposal, as the host tells its bottle.
package struct ProposalAnswer: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// Seen, and waiting for an operator.
        case pending
        /// The operator said yes and the change is committed; it is not in force yet.
        case approved
        /// The change is in force: the sidecars confirmed what they loaded.
        case applied
        /// The operator said no.
        case rejected
        /// The operator said yes, but the change did not come into force; what was before still is.
        case failed
        /// Not shown to an operator, or taken back: it does not fit what is desired.
        case refused

        /// Whether nothing will follow.
        package var isFinal: Bool { self != .pending && self != .approved }
    }

    package let id: ProposalID
    package var state: State
    /// When it came to this state.
    package var time: Timestamp
    /// The operator's words to the agent, or why it failed or was refused.
    package var words: String? { didSet { words = words.map(Self.bounded) } }
    /// The commit that approved it.
    package var revision: String? { didSet { revision = revision.map(Self.bounded) } }
    /// What was approved in place of what was asked for; nil: exactly that.
    package var edited: String? { didSet { edited = edited.map(Self.bounded) } }

    /// Bytes of a file that holds an answer: every byte of its texts can take six.
    package static let fileLimit = 320 << 10
    /// Bytes of each text; one that is too long is cut, whenever it is set.
    package static let textLimit = 16 << 10

    package init(
        id: ProposalID,
        state: State,
        time: Timestamp,
        words: String? = nil,
        revision: String? = nil,
        edited: String? = nil
    ) {
        self.id = id
        self.state = state
        self.time = time
        self.words = words.map(Self.bounded)
        self.revision = revision.map(Self.bounded)
        self.edited = edited.map(Self.bounded)
    }

    private static func bounded(_ text: String) -> String {
        guard text.utf8.count > textLimit else { return text }
        var kept = String.UnicodeScalarView()
        var size = 0
        for scalar in text.unicodeScalars {
            size += UTF8.width(scalar)
            guard size <= textLimit - 3 else { break }
            kept.append(scalar)
        }
        return String(kept) + "…"
    }
}

extension ProposalAnswer {
    private static let version = 1

    /// The file's bytes: one object on one line, in ASCII.
    package var bytes: [UInt8] {
        var members: [(String, FlatJSON.Value)] = [
            ("version", .number(Self.version)), ("id", .text(id.text)), ("state", .text(state.rawValue)),
            ("at", .text(time.description)),
        ]
        if let words { members.append(("words", .text(words))) }
        if let revision { members.append(("revision", .text(revision))) }
        if let edited { members.append(("edited", .text(edited))) }
        return Array(FlatJSON.line(members).utf8) + [UInt8(ascii: "\n")]
    }

    package init(reading bytes: [UInt8]) throws(QueueFile.Unsuitable) {
        var fields = try QueueFile.Fields(bytes, version: Self.version)
        let id = try fields.id()
        let state = try fields.text("state")
        let time = try fields.time("at")
        let words = try fields.optionalText("words")
        let revision = try fields.optionalText("revision")
        let edited = try fields.optionalText("edited")
        try fields.finish()
        guard let state = State(rawValue: state) else { throw .init("its state is unknown") }
        self.init(id: id, state: state, time: time, words: words, revision: revision, edited: edited)
    }
}
