/// Text from elsewhere, made harmless for a terminal.
enum Escaped {
    /// One line: no control or bidirectional characters, bounded.
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

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}
