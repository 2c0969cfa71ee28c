/// The result of an attempt if the bottle holds.
package struct AttemptExpectation: Sendable, Hashable, Codable {
    /// The refusal that must be on record.
    package enum Rule: Sendable, Hashable, Codable {
        /// Any refusal, unless something may arrive.
        case asNeeded
        case notNeeded
        /// A refusal by one of these rules.
        case oneOf([String])
    }

    /// The allowed outcomes of the last step; nil for any.
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
