/// A log line in which a sidecar says that it refused something.
package struct Refusal: Sendable, Hashable {
    /// Seconds since 1970.
    package var time: Double
    package var rule: String
    /// The whole line.
    package var line: String

    package init(time: Double, rule: String, line: String = "") {
        self.time = time
        self.rule = rule
        self.line = line
    }
}
