/// What the one who made an attempt could tell of it.
package struct Observation: Sendable, Hashable, Codable {
    /// How a connection stood when the attempt was over.
    package enum Ending: String, Sendable, Hashable, Codable {
        case open
        /// By the other side.
        case closed
        case reset
        case refused
        /// No way to the other side.
        case unreachable
    }

    /// The attempt's.
    package var name: String
    /// Seconds since 1970.
    package var began: Double
    package var ended: Double
    /// Of the last step that has one.
    package var outcome: AttemptOutcome?
    package var answers: [AttemptAnswer] = []
    /// The beginning of everything that came, over all connections; each byte a character of the same number.
    package var received = ""
    /// Of each connection, in the order they were opened.
    package var endings: [Ending] = []
    /// The longest wait, in milliseconds, for bytes or an end that were due.
    package var longestWait = 0.0
    /// Whether a wait ended with neither.
    package var isHung = false
    /// What the driver itself could not do.
    package var problem: String?
    /// What happened, one short line a step.
    package var trace: [String] = []

    package init(name: String, began: Double = 0, ended: Double = 0) {
        self.name = name
        self.began = began
        self.ended = ended
    }

    /// The most that is kept of what came.
    static let keptBytes = 65_536
}
