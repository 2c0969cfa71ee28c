/// A version of the Model Context Protocol that starts with `initialize`.
enum ProtocolVersion: String, Sendable, Hashable, CaseIterable, Comparable {
    case november2024 = "2024-11-05"
    case march2025 = "2025-03-26"
    case june2025 = "2025-06-18"
    case november2025 = "2025-11-25"

    static let newest = ProtocolVersion.november2025

    /// The version to agree on if a client offers `offer`: the same if we know it, else our newest.
    static func agreed(on offer: String?) -> ProtocolVersion { offer.flatMap(Self.init(rawValue:)) ?? newest }

    /// Whether one body may contain several messages.
    var hasBatches: Bool { self <= .march2025 }

    /// Whether clients understand an event that contains only an id.
    var hasEmptyEvents: Bool { self >= .november2025 }

    static func < (left: ProtocolVersion, right: ProtocolVersion) -> Bool { left.rawValue < right.rawValue }
}
