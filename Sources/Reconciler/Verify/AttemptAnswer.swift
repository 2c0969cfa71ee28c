/// One HTTP/1 answer as its client received it.
package struct AttemptAnswer: Sendable, Hashable, Codable {
    package var status: Int
    /// Status line and headers as received; a byte above 0x7F is the character with the same number.
    package var head: String
    /// The beginning of the body, in the same form.
    package var body: String
    /// The body's length in bytes.
    package var length: Int
    /// Whether all of it was received.
    package var isWhole: Bool
}
