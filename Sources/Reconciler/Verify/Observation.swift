/// What the driver observed of an attempt.
package struct Observation: Sendable, Hashable, Codable {
    /// How a connection stood at the end of the attempt.
    package enum Ending: String, Sendable, Hashable, Codable {
        case open
        /// Closed by the other side.
        case closed
        case reset
        case refused
        /// There is no route to the other side.
        case unreachable
    }

    /// The attempt's name.
    package var name: String
    /// Seconds since 1970.
    package var began: Double
    package var ended: Double
    /// The outcome of the last step that has one.
    package var outcome: AttemptOutcome?
    package var answers: [AttemptAnswer] = []
    /// The beginning of all received bytes, over all connections; each byte is the character with the same number.
    package var received = ""
    /// How each connection ended, in the order in which they were opened.
    package var endings: [Ending] = []
    /// The longest wait, in milliseconds, for expected bytes or an expected end.
    package var longestWait = 0.0
    /// Whether a wait ended without either.
    package var isHung = false
    /// What the driver itself could not do.
    package var problem: String?
    /// What happened, one short line per step.
    package var trace: [String] = []

    package init(name: String, began: Double = 0, ended: Double = 0) {
        self.name = name
        self.began = began
        self.ended = ended
    }

    /// How many received bytes to keep.
    static let keptBytes = 65_536
}
