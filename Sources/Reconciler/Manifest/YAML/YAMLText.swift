import ReconcilerModel

/// Writes texts as YAML scalars that this reader and YAML 1.1 readers read back as the same text.
enum YAMLText {
    /// `text` plain if that is safe, else in double quotes; always one line.
    static func scalar(_ text: String) -> String {
        isPlain(text) ? text : quoted(text)
    }

    /// `text` in double quotes, with everything escaped that a reader could change or not show.
    static func quoted(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\t": output += "\\t"
            case "\r": output += "\\r"
            default: if isShown(scalar) { output.unicodeScalars.append(scalar) } else { output += escape(scalar) }
            }
        }
        return output + "\""
    }

    /// `text` as a literal block below a key whose value is indented by `indent`; nil if a block can't represent it.
    static func block(_ text: String, indent: Int) -> String? {
        guard text.contains("\n"), text.unicodeScalars.allSatisfy({ $0 == "\n" || isShown($0) }) else { return nil }
        var body = text[...]
        var mark = "|-"
        if body.hasSuffix("\n") {
            body.removeLast()
            mark = "|"
        }
        let lines = body.split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first, let last = lines.last, !first.isEmpty, !last.isEmpty, first.utf8.first != 0x20,
            lines.allSatisfy({ $0.isEmpty || $0.utf8.contains { $0 != 0x20 } })
        else { return nil }
        let space = String(repeating: " ", count: indent)
        return mark + lines.map { $0.isEmpty ? "\n" : "\n" + space + $0 }.joined()
    }

    /// Whether every version of YAML reads the word as text.
    private static func isPlain(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, bytes.count <= 200, text.utf8.last != UInt8(ascii: ":") else { return false }
        let isLetter = (65...90).contains(first) || (97...122).contains(first)
        guard isLetter || first == UInt8(ascii: "/") || first == UInt8(ascii: "_") else { return false }
        guard bytes.allSatisfy({ ManifestDecoder.isAlphanumeric($0) || "/._-+@:".utf8.contains($0) }) else {
            return false
        }
        let words: Set<String> = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
        return !words.contains(text.lowercased())
    }

    /// Whether the scalar can stand unescaped.
    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch VisibleText.look(of: scalar) {
        case .plain, .mark: true
        // Stored texts keep what chooses between a letter's and a picture's form: a block stays a block.
        case .joiner: scalar.properties.generalCategory != .format
        case .blank, .hidden: false
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        func padded(_ count: Int) -> String { String(repeating: "0", count: count - digits.count) + digits }
        if scalar.value <= 0xFF { return "\\x" + padded(2) }
        return scalar.value <= 0xFFFF ? "\\u" + padded(4) : "\\U" + padded(8)
    }
}
