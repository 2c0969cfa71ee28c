/// The allowed form of a manifest's value.
///
/// One table of shapes (`ManifestShape`, `SettingsShape`) drives three things: the structure check, the suggestions and
/// the JSON Schema. The reader checks what a shape can't express, such as a host's grammar.
indirect enum Shape: Sendable {
    case text(TextShape)
    case integer(ClosedRange<Int>)
    case number
    case boolean
    case choice([String])
    case list(Shape, least: Int)
    case table(key: TextShape, value: Shape)
    case object(ObjectShape)
    /// Alternatives that differ by kind of node: scalar, list, mapping.
    case either([Shape])
    /// Any value; checked elsewhere.
    case anything
}

/// A text and its required form.
struct TextShape: Sendable {
    /// A noun for messages.
    var name: String
    /// A regular expression for the schema; every accepted text matches it.
    ///
    /// The reader's own check may be stricter.
    var pattern: String?
    /// Whether a plain number is accepted as the text written.
    var takesNumbers: Bool

    init(_ name: String, pattern: String? = nil, takesNumbers: Bool = false) {
        self.name = name
        self.pattern = pattern
        self.takesNumbers = takesNumbers
    }
}

/// A mapping with known keys.
struct ObjectShape: Sendable {
    /// A noun for messages.
    var name: String
    var keys: [KeyShape]
    /// Sets of keys; exactly one key of each must be present.
    var oneOf: [[String]]
    /// A key that must be alone if present, and then lifts all other requirements.
    var standsAlone: String?
    /// Keys that require another key beside them.
    var needs: [(key: String, other: String, suggestion: String)]

    init(
        _ name: String,
        _ keys: [KeyShape],
        oneOf: [[String]] = [],
        standsAlone: String? = nil,
        needs: [(key: String, other: String, suggestion: String)] = []
    ) {
        self.name = name
        self.keys = keys
        self.oneOf = oneOf
        self.needs = needs
        self.standsAlone = standsAlone
    }
}

/// A key of a mapping.
struct KeyShape: Sendable {
    var name: String
    var shape: Shape
    var isRequired: Bool
    /// Its meaning in one line, for the schema.
    var about: String

    init(_ name: String, _ shape: Shape, required: Bool = false, _ about: String) {
        self.name = name
        self.shape = shape
        self.isRequired = required
        self.about = about
    }
}
