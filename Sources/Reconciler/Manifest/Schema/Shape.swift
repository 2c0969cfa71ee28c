/// What a value of a manifest may look like.
///
/// One table of shapes (`ManifestShape`, `SettingsShape`) drives three things: the check of a file's structure, the
/// suggestions, and the JSON Schema. What a shape can't say (a host's grammar, say) the reader says.
indirect enum Shape: Sendable {
    case text(TextShape)
    case integer(ClosedRange<Int>)
    case number
    case boolean
    case choice([String])
    case list(Shape, least: Int)
    case table(key: TextShape, value: Shape)
    case object(ObjectShape)
    /// Shapes that differ by kind of node: scalar, list, mapping.
    case either([Shape])
    /// Whatever; judged elsewhere.
    case anything
}

/// A text and the form it must have.
struct TextShape: Sendable {
    /// A noun for messages.
    var name: String
    /// For the schema: a regular expression that every accepted text matches.
    ///
    /// The reader's own check may be narrower.
    var pattern: String?
    /// Whether a plain number is taken as the text that was written.
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
    /// Sets of keys of which exactly one must be there.
    var oneOf: [[String]]
    /// A key that, when there, must be the only one, and lifts every demand on others.
    var standsAlone: String?
    /// Keys that demand another one beside them.
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
    /// What it means, in one line, for the schema.
    var about: String

    init(_ name: String, _ shape: Shape, required: Bool = false, _ about: String) {
        self.name = name
        self.shape = shape
        self.isRequired = required
        self.about = about
    }
}
