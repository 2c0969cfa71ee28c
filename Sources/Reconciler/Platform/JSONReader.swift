/// Reads JSON that anybody may have sent: bounded in depth and in number of values, with one meaning only.
///
/// The size of the bytes is for the caller to bound; time and room are linear in it.
package struct JSONReader {
    /// Levels of lists and objects.
    package static let depthLimit = 32
    /// Values, names included.
    package static let valueLimit = 20_000

    package struct Refusal: Error, Sendable, Hashable {
        package var reason: String
    }

    private let bytes: [UInt8]
    private let valueLimit: Int
    private let replacesHalves: Bool
    private var index = 0
    private var values = 0

    private init(_ bytes: [UInt8], valueLimit: Int, replacesHalves: Bool) {
        self.bytes = bytes
        self.valueLimit = valueLimit
        self.replacesHalves = replacesHalves
    }

    /// - Parameters:
    ///   - valueLimit: how many values there may be, names included.
    ///   - replacesHalves: whether half of a surrogate pair is read as U+FFFD; else it is refused.
    /// - Throws: `Refusal` for anything but one JSON value (RFC 8259) in UTF-8, for an object that names a member twice,
    ///   and for what is past the bounds.
    package static func read(
        _ bytes: [UInt8],
        valueLimit: Int = valueLimit,
        replacesHalves: Bool = false
    ) throws(Refusal) -> JSONNode {
        var reader = JSONReader(bytes, valueLimit: valueLimit, replacesHalves: replacesHalves)
        let node = try reader.value(depth: 0)
        reader.skipBlanks()
        guard reader.index == bytes.count else { throw Refusal(reason: "something follows the value") }
        return node
    }

    private mutating func value(depth: Int) throws(Refusal) -> JSONNode {
        try count()
        skipBlanks()
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try list(depth: depth + 1)
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func object(depth: Int) throws(Refusal) -> JSONNode {
        guard depth <= Self.depthLimit else { throw Refusal(reason: "more than \(Self.depthLimit) levels") }
        index += 1
        var members: [JSONNode.Member] = []
        var names: Set<String> = []
        skipBlanks()
        if take("}") { return .object([]) }
        repeat {
            skipBlanks()
            try count()
            let name = try text()
            guard names.insert(name).inserted else { throw Refusal(reason: "a name stands twice in one object") }
            skipBlanks()
            guard take(":") else { throw Refusal(reason: "':' is missing") }
            members.append(JSONNode.Member(name: name, value: try value(depth: depth)))
            skipBlanks()
        } while take(",")
        guard take("}") else { throw Refusal(reason: "'}' is missing") }
        return .object(members)
    }

    private mutating func list(depth: Int) throws(Refusal) -> JSONNode {
        guard depth <= Self.depthLimit else { throw Refusal(reason: "more than \(Self.depthLimit) levels") }
        index += 1
        var items: [JSONNode] = []
        skipBlanks()
        if take("]") { return .list([]) }
        repeat {
            items.append(try value(depth: depth))
            skipBlanks()
        } while take(",")
        guard take("]") else { throw Refusal(reason: "']' is missing") }
        return .list(items)
    }

    private mutating func word(_ word: StaticString, _ node: JSONNode) throws(Refusal) -> JSONNode {
        let expected = Array("\(word)".utf8)
        guard bytes[index...].starts(with: expected) else { throw Refusal(reason: "a word that JSON doesn't have") }
        index += expected.count
        return node
    }

    private mutating func number() throws(Refusal) -> String {
        let start = index
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            try digits()
        }
        guard index - start <= 64 else { throw Refusal(reason: "a number of more than 64 characters") }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func digits() throws(Refusal) {
        let start = index
        while let byte = peek, (48...57).contains(byte) { index += 1 }
        guard index > start else { throw Refusal(reason: "a value is missing") }
    }

    private mutating func text() throws(Refusal) -> String {
        guard take("\"") else { throw Refusal(reason: "a text in quotes is missing") }
        var output: [UInt8] = []
        while let byte = peek {
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: output, as: UTF8.self) else {
                    throw Refusal(reason: "a text is not UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): try escape(&output)
            case ..<0x20: throw Refusal(reason: "a control character in a text")
            default: output.append(byte)
            }
        }
        throw Refusal(reason: "a text has no end")
    }

    private mutating func escape(_ output: inout [UInt8]) throws(Refusal) {
        guard let byte = peek else { throw Refusal(reason: "a text has no end") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"):
            let unit = try unit()
            var value = UInt32(unit)
            if UTF16.isLeadSurrogate(unit), let low = try trailSurrogate() {
                value = 0x10000 + (value - 0xD800) << 10 + (UInt32(low) - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(value) ?? (replacesHalves ? "\u{FFFD}" : nil) else {
                throw Refusal(reason: "half of a character")
            }
            output += Array(String(Character(scalar)).utf8)
        default: throw Refusal(reason: "an escape that JSON doesn't have")
        }
    }

    /// Takes the escape of a trail surrogate, if one comes next.
    private mutating func trailSurrogate() throws(Refusal) -> UInt16? {
        let start = index
        if take("\\"), take("u") {
            let unit = try unit()
            if UTF16.isTrailSurrogate(unit) { return unit }
        }
        index = start
        return nil
    }

    private mutating func unit() throws(Refusal) -> UInt16 {
        let digits = bytes[index...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
            let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw Refusal(reason: "'\\u' without four hexadecimal digits") }
        index += 4
        return unit
    }

    private mutating func count() throws(Refusal) {
        values += 1
        guard values <= valueLimit else { throw Refusal(reason: "more than \(valueLimit) values") }
    }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let byte = peek, UInt32(byte) == character.value else { return false }
        index += 1
        return true
    }

    private mutating func skipBlanks() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }
}
