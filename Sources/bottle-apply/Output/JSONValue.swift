import FoundationEssentials

/// Any JSON document, for showing the same one as JSON or YAML.
enum JSONValue: Decodable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let integer = try? value.decode(Int64.self) {
            self = .integer(integer)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([JSONValue].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: JSONValue].self))
        }
    }

    /// A block-style YAML document; texts are quoted as in JSON, which YAML reads the same way.
    func yaml(indent: Int = 0) throws -> String {
        let space = String(repeating: " ", count: indent)
        switch self {
        case .list(let list) where !list.isEmpty:
            return try list.map { item in
                let text = try item.yaml(indent: indent + 2)
                return "\(space)-\(item.isBlock ? " " + String(text.dropFirst(indent + 2)) : " " + text)"
            }.joined(separator: "\n")
        case .object(let object) where !object.isEmpty:
            return try object.sorted { $0.key < $1.key }.map { key, value in
                "\(space)\(key):\(value.isBlock ? "\n" : " ")\(try value.yaml(indent: indent + 2))"
            }.joined(separator: "\n")
        default: return try scalar()
        }
    }

    private var isBlock: Bool {
        switch self {
        case .list(let list): !list.isEmpty
        case .object(let object): !object.isEmpty
        default: false
        }
    }

    private func scalar() throws -> String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let text): String(decoding: try JSONEncoder.document.encode(text), as: UTF8.self)
        case .list: "[]"
        case .object: "{}"
        }
    }
}

extension JSONEncoder {
    /// For everything that is printed.
    static var document: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
