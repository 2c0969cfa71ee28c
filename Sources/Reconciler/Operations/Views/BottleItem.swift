package import ReconcilerModel

/// A bottle as lists show it (SPEC 10).
package struct BottleItem: Sendable, Equatable, Encodable {
    package struct Container: Sendable, Equatable, Encodable {
        package var role: String
        package var id: String
        package var state: String
        package var image: String
    }

    package var identity: String
    package var desiredRevision: String?
    package var observedRevision: String?
    package var conditions: [Condition]
    package var containers: [Container]
    /// Whether nothing of it is desired or recorded any more; only a watcher is told.
    package var isDeleted = false

    private enum CodingKeys: String, CodingKey {
        case identity, desiredRevision, observedRevision, conditions, containers
        case isDeleted = "deleted"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(identity, forKey: .identity)
        try container.encode(desiredRevision, forKey: .desiredRevision)
        try container.encode(observedRevision, forKey: .observedRevision)
        try container.encode(conditions, forKey: .conditions)
        try container.encode(containers, forKey: .containers)
        if isDeleted { try container.encode(true, forKey: .isDeleted) }
    }
}

extension BottleItem {
    /// The last that a watcher is told of a bottle.
    package init(deleted identity: String) {
        self.init(identity: identity, conditions: [], containers: [], isDeleted: true)
    }
}
