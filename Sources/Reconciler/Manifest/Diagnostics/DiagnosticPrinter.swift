package import ReconcilerModel

/// Renders diagnostics for a terminal or a log.
///
/// A manifest's text is untrusted: control and bidirectional characters are shown as escapes, and the length of a line
/// is bounded.
package struct DiagnosticPrinter: Sendable {
    /// Whether to colour with ANSI sequences.
    package var isColored: Bool
    /// How many columns a quoted line of a file may take.
    package var width: Int

    package init(isColored: Bool = false, width: Int = 100) {
        self.isColored = isColored
        self.width = max(width, 20)
    }

    /// All `diagnostics`, each with its line and a caret, and a final line that counts them.
    package func text(_ diagnostics: [Diagnostic]) -> String {
        guard !diagnostics.isEmpty else { return "" }
        let errors = diagnostics.count { $0.severity == .error }
        let warnings = diagnostics.count - errors
        var counts: [String] = []
        if errors > 0 { counts.append(errors == 1 ? "1 error" : "\(errors) errors") }
        if warnings > 0 { counts.append(warnings == 1 ? "1 warning" : "\(warnings) warnings") }
        return diagnostics.map { text($0) }.joined(separator: "\n") + "\n" + counts.joined(separator: ", ") + "\n"
    }

    /// One diagnostic, ending in a newline.
    package func text(_ diagnostic: Diagnostic) -> String {
        let isError = diagnostic.severity == .error
        let word = colored(isError ? "error" : "warning", isError ? "31;1" : "33;1")
        let place = diagnostic.location.map { "\(VisibleText.line("\($0)", limit: 400)): " } ?? ""
        var text = "\(place)\(word): \(VisibleText.line(diagnostic.message, limit: 1000)) [\(diagnostic.code)]\n"
        if let snippet = diagnostic.snippet, let location = diagnostic.location {
            text += line(snippet, location, color: isError ? "31;1" : "33;1")
        }
        if let suggestion = diagnostic.suggestion {
            let lines = suggestion.split(separator: "\n", omittingEmptySubsequences: false).prefix(80)
            for (index, line) in lines.enumerated() {
                let shown = VisibleText.line(String(line), limit: 400)
                text += index == 0 ? "  \(colored("help", "36;1")): \(shown)\n" : "        \(shown)\n"
            }
        }
        return text
    }

    /// The line with a gutter, cut around the caret if it is too long.
    private func line(_ snippet: String, _ location: SourceLocation, color: String) -> String {
        let scalars = Array(snippet.unicodeScalars)
        let target = min(max(location.column - 1, 0), scalars.count)
        let start = target > width * 3 / 4 ? target - width / 2 : 0
        let end = min(scalars.count, start + width)
        var shown = start > 0 ? "…" : ""
        var caret = shown.isEmpty ? 0 : 1
        var reader = VisibleText.Reader()
        for index in start..<end {
            let piece = scalars[index] == "\t" ? " " : reader.text(scalars[index])
            shown += piece
            if index < target { caret += Self.columns(piece) }
        }
        if end < scalars.count { shown += "…" }
        let number = String(location.line)
        let gutter = String(repeating: " ", count: number.count)
        return "  \(number) | \(shown)\n  \(gutter) | \(String(repeating: " ", count: caret))\(colored("^", color))\n"
    }

    private func colored(_ text: String, _ code: String) -> String {
        isColored ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    /// Terminal columns of `text`: two for East Asian wide characters, none for a mark.
    private static func columns(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { sum, scalar in
            if VisibleText.look(of: scalar) == .mark { return sum }
            switch scalar.value {
            case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
                0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
                return sum + 2
            default: return sum + 1
            }
        }
    }
}
