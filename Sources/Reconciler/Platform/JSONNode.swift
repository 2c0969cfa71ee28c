/// A JSON value, as a client sent it or as it is sent.
package enum JSONNode: Sendable, Hashable {
    case null
    case boolean(Bool)
    /// As it was written.
    case number(String)
    case text(String)
    case list([JSONNode])
    /// In the order written; no name twice.
    case object([Member])

    package struct Member: Sendable, Hashable {
        package var name: String
        package var value: JSONNode

        package init(name: String, value: JSONNode) {
            self.name = name
            self.value = value
        }
    }

    package static func object(_ members: KeyValuePairs<String, JSONNode?>) -> JSONNode {
        .object(members.compactMap { name, value in value.map { Member(name: name, value: $0) } })
    }

    package static func integer(_ value: Int) -> JSONNode { .number(String(value)) }

    package subscript(name: String) -> JSONNode? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    package var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    /// On one line, in UTF-8.
    package var line: String {
        var output = ""
        write(to: &output, isASCII: false)
        return output
    }

    /// On one line, with every character outside of printable ASCII as `\uXXXX`.
    package var asciiLine: String {
        var output = ""
        write(to: &output, isASCII: true)
        return output
    }

    private func write(to output: inout String, isASCII: Bool) {
        switch self {
        case .null: output += "null"
        case .boolean(let value): output += value ? "true" : "false"
        case .number(let digits): output += digits
        case .text(let text): Self.write(text, to: &output, isASCII: isASCII)
        case .list(let items):
            output += "["
            for (index, item) in items.enumerated() {
                if index > 0 { output += "," }
                item.write(to: &output, isASCII: isASCII)
            }
            output += "]"
        case .object(let members):
            output += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { output += "," }
                Self.write(member.name, to: &output, isASCII: isASCII)
                output += ":"
                member.value.write(to: &output, isASCII: isASCII)
            }
            output += "}"
        }
    }

    private static func write(_ text: String, to output: inout String, isASCII: Bool) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n" where !isASCII: output += "\\n"
            case "\r" where !isASCII: output += "\\r"
            case "\t" where !isASCII: output += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}": output += escape(scalar)
            case _ where isASCII && !scalar.isASCII: output += escape(scalar)
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }

    /// A character of a text as `\uXXXX`; two of them, its surrogate pair, beyond U+FFFF.
    package static func escape(_ scalar: Unicode.Scalar) -> String {
        String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }
}
