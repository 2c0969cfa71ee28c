/// The JSON Schema (2020-12) of a manifest, generated from the table of shapes that the reader checks with.
package enum ManifestSchema {
    /// The schema as deterministic JSON text.
    package static let json: String = JSONText.write(
        .object([
            ("$schema", .text("https://json-schema.org/draft/2020-12/schema")),
            ("$id", .text("urn:bottle:schema:v1")),
            ("title", .text("bottle manifest")),
            (
                "description",
                .text(
                    "One document of a manifest: a Bottle, or an Agent that bottles refer to. Or a Remediation: a file "
                        + "of the desired state."
                )
            ),
            (
                "oneOf",
                .list([
                    SchemaWriter.schema(.object(ManifestShape.bottle)),
                    SchemaWriter.schema(.object(ManifestShape.agentDocument)),
                    SchemaWriter.schema(.object(RemediationShape.document)),
                ])
            ),
        ])
    )
}

/// Turns shapes into JSON Schema.
private enum SchemaWriter {
    static func schema(_ shape: Shape) -> JSONText {
        switch shape {
        case .anything: .object([])
        case .text(let text):
            .object(
                [("type", text.takesNumbers ? .list([.text("string"), .text("number")]) : .text("string"))]
                    + (text.pattern.map { [("pattern", .text($0))] } ?? [])
            )
        case .integer(let range):
            .object([
                ("type", .text("integer")), ("minimum", .number(range.lowerBound)),
                ("maximum", .number(range.upperBound)),
            ])
        case .number: .object([("type", .text("number")), ("exclusiveMinimum", .number(0))])
        case .boolean: .object([("type", .text("boolean"))])
        case .choice(let values): .object([("enum", .list(values.map { .text($0) }))])
        case .list(let element, let least):
            .object(
                [("type", .text("array")), ("items", schema(element))]
                    + (least > 0 ? [("minItems", .number(least))] : [])
            )
        case .table(let key, let value):
            .object(
                [("type", .text("object")), ("additionalProperties", schema(value))]
                    + (key.pattern.map { [("propertyNames", .object([("pattern", .text($0))]))] } ?? [])
            )
        case .object(let object): schema(object)
        case .either(let shapes): .object([("anyOf", .list(shapes.map { schema($0) }))])
        }
    }

    private static func schema(_ object: ObjectShape) -> JSONText {
        var members: [(String, JSONText)] = [
            ("type", .text("object")),
            ("properties", .object(object.keys.map { ($0.name, described(schema($0.shape), $0.about)) })),
            ("additionalProperties", .boolean(false)),
        ]
        let demands = demands(object)
        guard let alone = object.standsAlone else { return .object(members + demands) }
        let only: JSONText = .object([
            ("required", .list([.text(alone)])), ("maxProperties", .number(1)),
        ])
        let without = JSONText.object([("not", .object([("required", .list([.text(alone)]))]))] + demands)
        members.append(("oneOf", .list([only, without])))
        return .object(members)
    }

    private static func demands(_ object: ObjectShape) -> [(String, JSONText)] {
        var members: [(String, JSONText)] = []
        let required = object.keys.filter(\.isRequired).map(\.name)
        if !required.isEmpty { members.append(("required", .list(required.map { .text($0) }))) }
        if !object.needs.isEmpty {
            members.append(
                ("dependentRequired", .object(object.needs.map { ($0.key, .list([.text($0.other)])) }))
            )
        }
        let sets = object.oneOf.map { set in
            JSONText.object([("oneOf", .list(set.map { .object([("required", .list([.text($0)]))]) }))])
        }
        if !sets.isEmpty { members.append(("allOf", .list(sets))) }
        return members
    }

    private static func described(_ schema: JSONText, _ about: String) -> JSONText {
        guard case .object(let members) = schema else { return schema }
        return .object([("description", .text(about))] + members)
    }
}

/// JSON values that keep their members' order.
enum JSONText {
    case object([(String, JSONText)])
    case list([JSONText])
    case text(String)
    case number(Int)
    case boolean(Bool)

    /// `value` with two spaces per level and a final newline.
    static func write(_ value: JSONText) -> String { value.rendered("") + "\n" }

    private func rendered(_ indent: String) -> String {
        let inner = indent + "  "
        switch self {
        case .object(let members):
            guard !members.isEmpty else { return "{}" }
            let lines = members.map { inner + Self.quoted($0.0) + ": " + $0.1.rendered(inner) }
            return "{\n" + lines.joined(separator: ",\n") + "\n" + indent + "}"
        case .list(let values):
            guard !values.isEmpty else { return "[]" }
            return "[\n" + values.map { inner + $0.rendered(inner) }.joined(separator: ",\n") + "\n" + indent + "]"
        case .text(let text): return Self.quoted(text)
        case .number(let number): return String(number)
        case .boolean(let value): return value ? "true" : "false"
        }
    }

    private static func quoted(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case _ where scalar.value < 0x20: output += "\\u" + hexadecimal(scalar.value)
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }
}
