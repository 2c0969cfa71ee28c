/// What must come of an attempt for the bottle to have held.
package struct AttemptExpectation: Sendable, Hashable, Codable {
    /// Which refusal must be on record.
    package enum Rule: Sendable, Hashable, Codable {
        /// Some refusal, unless something may arrive.
        case asNeeded
        case notNeeded
        /// A refusal by one of these rules.
        case oneOf([String])
    }

    /// What the last step may have come to; nil: anything.
    package var answers: [AttemptOutcome]?
    package var rule: Rule
    package var arrives: [PermittedArrival]

    package init(
        answers: [AttemptOutcome]? = nil,
        rule: Rule = .asNeeded,
        arrives: [PermittedArrival] = []
    ) {
        self.answers = answers
        self.rule = rule
        self.arrives = arrives
    }
}

/// What a step came to, as far as its client can tell.
package enum AttemptOutcome: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The status of an HTTP answer.
    case status(Int)
    /// Closed, reset, refused or unreachable, without an answer; a name without an address.
    case closed
    /// Nothing came, not even an end.
    case silence
    /// Something came that is no HTTP answer.
    case bytes
    /// A name has an address.
    case address

    /// The outcomes that are words.
    package static let words: [String: AttemptOutcome] = [
        "closed": .closed, "silence": .silence, "bytes": .bytes, "address": .address,
    ]

    package var description: String {
        if case .status(let status) = self { return String(status) }
        return Self.words.first { $0.value == self }?.key ?? ""
    }
}

/// One request, or a connection without one, that an attempt may bring to a server.
package struct PermittedArrival: Sendable, Hashable, Codable {
    package var host: String
    /// nil: any.
    package var method: String?
    /// With the query; nil: any.
    package var path: String?
    /// Names of headers, in lower case, that it must have.
    package var with: [String]
    /// Names of headers, in lower case, that it may not have.
    package var without: [String]
    /// Whether a request may come; else a connection alone may.
    package var isRequest: Bool

    package init(
        host: String,
        method: String? = nil,
        path: String? = nil,
        with: [String] = [],
        without: [String] = [],
        isRequest: Bool = true
    ) {
        self.host = host
        self.method = method
        self.path = path
        self.with = with
        self.without = without
        self.isRequest = isRequest
    }
}
