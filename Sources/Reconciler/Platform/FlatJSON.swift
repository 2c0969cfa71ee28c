/// A JSON object on one line whose members are texts and whole numbers: all that a sidecar's line and ours may be.
///
/// Not a general reader: what it takes is bounded and has one meaning only, and nothing else passes.
package enum FlatJSON {
    package enum Value: Sendable, Hashable {
        case text(String)
        case number(Int)
    }

    /// The most members that an object may have.
    static let memberLimit = 16

    /// The members; nil when the bytes are anything but one such object, or name a member twice.
    package static func read(_ bytes: some Sequence<UInt8>) -> [String: Value]? {
        var scanner = Scanner(rest: Array(bytes)[...])
        guard scanner.skip("{") else { return nil }
        var members: [String: Value] = [:]
        if scanner.skip("}") { return scanner.isAtEnd ? members : nil }
        repeat {
            guard members.count < memberLimit, let name = scanner.text(), scanner.skip(":"),
                let value = scanner.value(), members.updateValue(value, forKey: name) == nil
            else { return nil }
        } while scanner.skip(",")
        guard scanner.skip("}"), scanner.isAtEnd else { return nil }
        return members
    }

    /// The object's text, in ASCII, without a newline.
    package static func line(_ members: [(String, Value)]) -> String {
        let parts = members.map { name, value in
            switch value {
            case .text(let text): "\(quoted(name)):\(quoted(text))"
            case .number(let number): "\(quoted(name)):\(number)"
            }
        }
        return "{\(parts.joined(separator: ","))}"
    }

    private static func quoted(_ text: String) -> String {
        var output = "\""
        for unit in text.utf16 {
            switch unit {
            case 0x22: output += "\\\""
            case 0x5C: output += "\\\\"
            case 0x20...0x7E: output.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            default:
                let digits = String(unit, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return output + "\""
    }
}

/// Reads the parts of an object.
private struct Scanner {
    var rest: ArraySlice<UInt8>

    /// Whether nothing but blanks is left.
    var isAtEnd: Bool { rest.allSatisfy(Self.isBlank) }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        rest = rest.drop(while: Self.isBlank)
        guard let first = rest.first, UInt32(first) == character.value else { return false }
        rest.removeFirst()
        return true
    }

    mutating func value() -> FlatJSON.Value? {
        rest = rest.drop(while: Self.isBlank)
        if rest.first == UInt8(ascii: "\"") { return text().map { .text($0) } }
        return number().map { .number($0) }
    }

    mutating func number() -> Int? {
        let digits = rest.prefix { (48...57).contains($0) }
        guard (1...18).contains(digits.count) else { return nil }
        rest = rest.dropFirst(digits.count)
        return Int(String(decoding: digits, as: UTF8.self))
    }

    mutating func text() -> String? {
        guard skip("\"") else { return nil }
        var units: [UInt16] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: units, as: UTF16.self)
            case UInt8(ascii: "\\"):
                guard let unit = escape() else { return nil }
                units.append(unit)
            case 0x20...0x7E: units.append(UInt16(byte))
            default: return nil
            }
        }
        return nil
    }

    private mutating func escape() -> UInt16? {
        switch rest.popFirst() {
        case UInt8(ascii: "\""): return 0x22
        case UInt8(ascii: "\\"): return 0x5C
        case UInt8(ascii: "/"): return 0x2F
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "u"):
            let digits = rest.prefix(4)
            rest = rest.dropFirst(digits.count)
            guard digits.count == 4, digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else {
                return nil
            }
            return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        default: return nil
        }
    }
}
