/// A version of the Model Context Protocol that begins with `initialize`.
enum ProtocolVersion: String, Sendable, Hashable, CaseIterable, Comparable {
    case november2024 = "2024-11-05"
    case march2025 = "2025-03-26"
    case june2025 = "2025-06-18"
    case november2025 = "2025-11-25"

    static let newest = ProtocolVersion.november2025

    /// What is agreed on when a client offers `offer`: the same where it is known, else our newest.
    static func agreed(on offer: String?) -> ProtocolVersion { offer.flatMap(Self.init(rawValue:)) ?? newest }

    /// Whether several messages may come in one body.
    var hasBatches: Bool { self <= .march2025 }

    /// Whether clients understand an event that holds only an id.
    var hasEmptyEvents: Bool { self >= .november2025 }

    static func < (left: ProtocolVersion, right: ProtocolVersion) -> Bool { left.rawValue < right.rawValue }
}
