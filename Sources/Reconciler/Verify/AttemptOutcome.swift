/// The result of a step, as far as its client can tell.
package enum AttemptOutcome: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The status of an HTTP answer.
    case status(Int)
    /// Closed, reset, refused or unreachable without an answer, or a name without an address.
    case closed
    /// Nothing came, not even an end.
    case silence
    /// Bytes that are not an HTTP answer.
    case bytes
    /// The name has an address.
    case address

    /// The outcomes that are written as words.
    package static let words: [String: AttemptOutcome] = [
        "closed": .closed, "silence": .silence, "bytes": .bytes, "address": .address,
    ]

    package var description: String {
        if case .status(let status) = self { return String(status) }
        return Self.words.first { $0.value == self }?.key ?? ""
    }
}
