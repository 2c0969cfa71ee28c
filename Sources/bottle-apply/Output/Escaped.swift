/// Text from elsewhere, made harmless for a terminal.
enum Escaped {
    /// One line: no control, bidirectional or invisible characters, bounded.
    static func line(_ text: String, limit: Int = 2000) -> String {
        var shown = ""
        for (count, scalar) in text.unicodeScalars.enumerated() {
            guard count < limit else { return shown + "…" }
            if isHarmless(scalar) {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return shown
    }

    /// Several lines, each harmless, indented from the second on; at most the last forty.
    static func lines(_ text: String, indent: String) -> String {
        text.split(whereSeparator: \.isNewline).suffix(40).map { line(String($0)) }.joined(separator: "\n" + indent)
    }

    /// A document in JSON, or in our YAML, which says the same: in its texts, the only place where it has any,
    /// characters that do harm are escaped.
    ///
    /// - Parameter isYAML: whether a character takes one escape, whatever it is, and not two halves.
    static func document(_ text: String, isYAML: Bool = false) -> String {
        var shown = ""
        for scalar in text.unicodeScalars {
            if scalar == "\n" || isHarmless(scalar) {
                shown.unicodeScalars.append(scalar)
            } else if isYAML {
                let digits = String(scalar.value, radix: 16)
                shown += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    shown += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
        return shown
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        // What shows as nothing does harm too, but for what chooses between a letter's and a picture's form.
        default: !scalar.properties.isDefaultIgnorableCodePoint || scalar.value == 0xFE0E || scalar.value == 0xFE0F
        }
    }
}
