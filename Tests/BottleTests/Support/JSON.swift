/// Any JSON document.
///
/// What isn't there reads as `missing`, and its text, list and so on as empty. The executable has a type like it;
/// this one stays, so that output is not read by the code that printed it.
enum JSON: Decodable, Hashable {
    case missing
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let array = try? value.decode([JSON].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSON].self))
        }
    }

    subscript(key: String) -> JSON { fields[key] ?? .missing }
    subscript(index: Int) -> JSON { list.indices.contains(index) ? list[index] : .missing }

    var fields: [String: JSON] { if case .object(let fields) = self { fields } else { [:] } }
    var keys: Set<String> { Set(fields.keys) }
    var list: [JSON] { if case .array(let list) = self { list } else { [] } }
    var text: String { if case .string(let text) = self { text } else { "" } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }
    var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
    var texts: [String] { list.map(\.text) }
}
