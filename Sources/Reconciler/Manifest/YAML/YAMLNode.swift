/// One node of a YAML document, with its position.
///
/// An alias shares the node of its anchor, so a tree can be an acyclic graph. `weight` counts every alias as its
/// expansion, and the parser limits it.
package final class YAMLNode: Sendable {
    package enum Content: Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        case mapping([YAMLEntry])
    }

    package let content: Content
    package let mark: YAMLMark
    /// Number of nodes here and below, with aliases expanded.
    let weight: Int
    /// Bytes of all scalars here and below, with aliases expanded.
    let size: Int

    init(_ content: Content, mark: YAMLMark, weight: Int = 1, size: Int = 0) {
        self.content = content
        self.mark = mark
        self.weight = weight
        self.size = size
    }

    package var scalar: YAMLScalar? {
        if case .scalar(let scalar) = content { scalar } else { nil }
    }

    package var entries: [YAMLEntry]? {
        if case .mapping(let entries) = content { entries } else { nil }
    }

    package var items: [YAMLNode]? {
        if case .sequence(let items) = content { items } else { nil }
    }

    /// The value under `key` of a mapping.
    package subscript(key: String) -> YAMLNode? {
        entries?.first { $0.key == key }?.value
    }

    /// The most entries that a manifest's list or mapping may have.
    static let mostEntries = 2000

    /// Whether a list or mapping here or below is too long for work that compares entries pairwise.
    var holdsLongList: Bool {
        switch content {
        case .scalar: false
        case .sequence(let items): items.count > Self.mostEntries || items.contains(where: \.holdsLongList)
        case .mapping(let entries): entries.count > Self.mostEntries || entries.contains(where: \.value.holdsLongList)
        }
    }

    /// The kind of node in a person's words.
    var kindName: String {
        switch content {
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .scalar(let scalar): scalar.value.name
        }
    }
}

/// A mapping's key with its position, and its value.
package struct YAMLEntry: Sendable {
    package let key: String
    package let keyMark: YAMLMark
    package let value: YAMLNode
}

/// The text of a scalar and how it was written.
package struct YAMLScalar: Sendable, Hashable {
    package enum Style: Sendable, Hashable { case plain, singleQuoted, doubleQuoted, literal, folded }

    /// The core types of YAML 1.2 that a tag can force.
    enum Tag: String, Sendable { case null, bool, int, float, str }

    package let text: String
    package let style: Style
    let tag: Tag?

    init(text: String, style: Style = .plain, tag: Tag? = nil) {
        self.text = text
        self.style = style
        self.tag = tag
    }

    /// The scalar's value in the core schema of YAML 1.2, in which `no`, `on` and `012` differ from YAML 1.1.
    var value: YAMLValue {
        switch tag {
        case .str: return .text
        case nil where style != .plain: return .text
        default: return YAMLValue(plain: text)
        }
    }
}

/// A scalar's value by its core type.
enum YAMLValue: Sendable, Hashable {
    case null
    case boolean(Bool)
    /// nil if it doesn't fit into a machine integer.
    case integer(Int?)
    case float
    case text

    init(plain text: String) {
        switch text {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE": self = .boolean(true)
        case "false", "False", "FALSE": self = .boolean(false)
        default:
            self = Self.isInteger(text) ? .integer(Self.integer(text)) : Self.isFloat(text) ? .float : .text
        }
    }

    var name: String {
        switch self {
        case .null: "nothing (null)"
        case .boolean: "a boolean"
        case .integer: "a number"
        case .float: "a number"
        case .text: "text"
        }
    }

    private static func isInteger(_ text: String) -> Bool {
        var digits = Substring(text).utf8[...]
        if text.hasPrefix("0o") { return digits.count > 2 && digits.dropFirst(2).allSatisfy { (48...55).contains($0) } }
        if text.hasPrefix("0x") {
            return digits.count > 2
                && digits.dropFirst(2).allSatisfy {
                    (48...57).contains($0) || (65...70).contains($0) || (97...102).contains($0)
                }
        }
        if let first = digits.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") {
            digits = digits.dropFirst()
        }
        return !digits.isEmpty && digits.allSatisfy { (48...57).contains($0) }
    }

    private static func integer(_ text: String) -> Int? {
        if text.hasPrefix("0o") { return Int(text.dropFirst(2), radix: 8) }
        if text.hasPrefix("0x") { return Int(text.dropFirst(2), radix: 16) }
        return Int(text)
    }

    private static func isFloat(_ text: String) -> Bool {
        let special = [
            ".inf", ".Inf", ".INF", "-.inf", "-.Inf", "-.INF", "+.inf", "+.Inf", "+.INF", ".nan", ".NaN", ".NAN",
        ]
        if special.contains(text) { return true }
        var rest = Array(text.utf8)[...]
        if let first = rest.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        func digits() -> Int {
            let run = rest.prefix { (48...57).contains($0) }.count
            rest = rest.dropFirst(run)
            return run
        }
        var count = digits()
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            count += digits()
        }
        guard count > 0 else { return false }
        if let first = rest.first, first == UInt8(ascii: "e") || first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
