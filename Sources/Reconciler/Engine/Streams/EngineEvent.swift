import ReconcilerTime

/// Something that happened in the engine.
package struct EngineEvent: Codable, Sendable, Hashable {
    /// The kind of object: `container`, `network`, `volume`, `image`, `daemon` ….
    package var type: String
    /// What happened: `create`, `start`, `die`, `exec_start: …` ….
    package var action: String
    /// The object's id; a volume's or image's name.
    package var actorID: String
    /// More about the object: its name, image and labels, an exit code.
    package var attributes: [String: String]
    /// When, in nanoseconds since 1970.
    package var timeNanoseconds: Int64

    /// An event.
    package init(
        type: String,
        action: String,
        actorID: String = "",
        attributes: [String: String] = [:],
        timeNanoseconds: Int64 = 0
    ) {
        self.type = type
        self.action = action
        self.actorID = actorID
        self.attributes = attributes
        self.timeNanoseconds = timeNanoseconds
    }

    private enum CodingKeys: String, CodingKey {
        case type = "Type"
        case action = "Action"
        case actor = "Actor"
        case timeNanoseconds = "timeNano"
    }

    private struct Actor: Codable {
        var id: String?
        var attributes: [String: String]?

        enum CodingKeys: String, CodingKey {
            case id = "ID"
            case attributes = "Attributes"
        }
    }

    /// Decodes the engine's JSON.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let actor = try values.decodeIfPresent(Actor.self, forKey: .actor)
        type = try values.decode(String.self, forKey: .type)
        action = try values.decode(String.self, forKey: .action)
        actorID = actor?.id ?? ""
        attributes = actor?.attributes ?? [:]
        timeNanoseconds = try values.decode(.timeNanoseconds, or: 0)
    }

    /// Encodes the engine's JSON.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(type, forKey: .type)
        try values.encode(action, forKey: .action)
        try values.encode(Actor(id: actorID, attributes: attributes), forKey: .actor)
        try values.encode(timeNanoseconds, forKey: .timeNanoseconds)
    }
}
