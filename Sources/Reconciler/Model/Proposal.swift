package import ReconcilerTime

/// What an agent asks for: everything in it but the id is the agent's word.
///
/// Its texts hold no control characters but line breaks and tabs, and no bidirectional ones; a view escapes them
/// all the same.
package struct Proposal: Sendable, Hashable {
    package let id: ProposalID
    package let bottle: Identity
    package let tool: ProposalTool
    /// The tool's argument as it was sent.
    package let argument: String
    /// Why, in the agent's words.
    package let justification: String
    /// When it was first asked, by the sidecar's clock.
    package let time: Timestamp

    /// Bytes of an argument.
    package static let argumentLimit = 64 << 10
    /// Bytes of a justification.
    package static let justificationLimit = 8 << 10
    /// Bytes of a file that holds a proposal: every byte of its texts can take six.
    package static let fileLimit = 512 << 10

    /// - Throws: `ProposalRefusal` when a text is empty, too long, or holds what nobody can see.
    package init(
        id: ProposalID,
        bottle: Identity,
        tool: ProposalTool,
        argument: String,
        justification: String,
        time: Timestamp
    ) throws(ProposalRefusal) {
        try Self.check("argument", argument, limit: Self.argumentLimit)
        try Self.check("justification", justification, limit: Self.justificationLimit)
        self.id = id
        self.bottle = bottle
        self.tool = tool
        self.argument = argument
        self.justification = justification
        self.time = time
    }

    private static func check(_ name: String, _ text: String, limit: Int) throws(ProposalRefusal) {
        guard text.utf8.count <= limit else {
            throw ProposalRefusal("the \(name) has \(text.utf8.count) bytes, at most \(limit) are taken")
        }
        guard text.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else {
            throw ProposalRefusal("the \(name) is empty")
        }
        if let hidden = text.unicodeScalars.first(where: isRefused) {
            let digits = String(hidden.value, radix: 16, uppercase: true)
            throw ProposalRefusal(
                "the \(name) holds the character U+\(digits), which can't be seen: write it without"
            )
        }
    }

    /// Whether a character may not be in a proposal: what is hidden (`VisibleText`), line breaks and tabs aside.
    ///
    /// Marks, blanks and joiners are taken, since people write them; views escape those that could mislead.
    private static func isRefused(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\n" || scalar == "\r" || scalar == "\t" { return false }
        return VisibleText.look(of: scalar) == .hidden
    }
}

/// Why a proposal is not taken: said to the agent at once, nothing is put into the queue.
package struct ProposalRefusal: Error, Sendable, Hashable {
    package var reasons: [String]

    package init(_ reasons: String...) { self.reasons = reasons }

    package init(reasons: [String]) { self.reasons = reasons }
}
