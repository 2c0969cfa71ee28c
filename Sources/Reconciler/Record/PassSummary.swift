package import ReconcilerTime

/// What is kept of one pass that did something or failed.
package struct PassSummary: Sendable, Hashable, Codable {
    package struct Act: Sendable, Hashable, Codable {
        package var verb: String
        package var object: String
        package var reason: String
        package var path: String?
        package var outcome: String
        package var ms: Int
        package var error: String?

        package init(
            verb: String,
            object: String,
            reason: String,
            path: String? = nil,
            outcome: String,
            ms: Int,
            error: String? = nil
        ) {
            self.verb = verb
            self.object = object
            self.reason = reason
            self.path = path
            self.outcome = outcome
            self.ms = ms
            self.error = error
        }
    }

    /// Tells it from every other, as in the logs; nil: kept by a version that had none.
    package var id: String?
    /// When it ended.
    package var time: Timestamp
    package var revision: Revision?
    /// `converged`, `retry` or `stalled`.
    package var outcome: String
    /// What stood in the way; nil when it converged.
    package var error: String?
    /// The drift it found, in words.
    package var drift: [String]
    package var actions: [Act]

    package init(
        id: String? = nil,
        time: Timestamp,
        revision: Revision?,
        outcome: String,
        error: String?,
        drift: [String],
        actions: [Act]
    ) {
        self.id = id
        self.time = time
        self.revision = revision
        self.outcome = outcome
        self.error = error
        self.drift = drift
        self.actions = actions
    }

    /// Whether it says nothing that `other` does not say: the same failure once more.
    package func repeats(_ other: PassSummary) -> Bool {
        var same = self
        same.id = other.id
        same.time = other.time
        for index in same.actions.indices where index < other.actions.count {
            same.actions[index].ms = other.actions[index].ms
        }
        return same == other
    }
}
