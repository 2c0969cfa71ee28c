/// Escapes text of foreign origin: the one answer of every view (SPEC 7).
///
/// What a view shows holds no control sequence, no bidirectional or invisible character, no blank but the plain space,
/// and no pile of marks; each such character is shown as `\u{…}`. Letters of every script stay readable.
package enum VisibleText {
    /// How a character shows by itself.
    package enum Look: Sendable, Hashable {
        case plain
        /// Drawn over the character before it.
        case mark
        /// A blank that is not the plain space.
        case blank
        /// Joins emoji or letters, or chooses between their forms.
        case joiner
        /// Shows as nothing, steers a terminal, or changes how others show.
        case hidden
    }

    /// The most marks on one letter: Hebrew with all its points has four.
    private static let markLimit = 4

    /// Letters and symbols to Unicode, and nothing to the eye: the blank Braille pattern and the null notehead.
    private static let fillers: Set<Unicode.Scalar> = ["\u{2800}", "\u{1D159}"]

    /// The class of one character, whatever stands around it.
    package static func look(of scalar: Unicode.Scalar) -> Look {
        if (0x20...0x7E).contains(scalar.value) { return .plain }
        if [0x200C, 0x200D, 0xFE0E, 0xFE0F].contains(scalar.value) { return .joiner }
        let properties = scalar.properties
        guard !properties.isDefaultIgnorableCodePoint, !fillers.contains(scalar) else { return .hidden }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            return .hidden
        case .spaceSeparator: return .blank
        case .nonspacingMark, .spacingMark, .enclosingMark: return .mark
        default: return .plain
        }
    }

    /// Decides, one character after the other, which are shown as they are.
    package struct Reader: Sendable {
        /// How many more marks may follow.
        private var marksLeft = 0

        package init() {}

        /// Whether the next character is shown as it is: a mark only where it follows a letter and few other marks.
        package mutating func shows(_ scalar: Unicode.Scalar) -> Bool {
            switch VisibleText.look(of: scalar) {
            case .plain:
                marksLeft = VisibleText.isLetter(scalar) ? VisibleText.markLimit : 0
                return true
            case .mark where marksLeft > 0:
                marksLeft -= 1
                return true
            case .mark, .blank, .joiner, .hidden:
                marksLeft = 0
                return false
            }
        }

        /// The next character as it is shown.
        package mutating func text(_ scalar: Unicode.Scalar) -> String {
            shows(scalar) ? String(scalar) : VisibleText.escape(scalar)
        }
    }

    /// One line of at most `limit` characters, and a `…` where something was cut off.
    package static func line(_ text: String, limit: Int = 2000) -> String {
        shown(text, limit: limit, keepsLines: false)
    }

    /// Text with its line feeds, of at most `limit` characters, and a `…` where something was cut off.
    package static func block(_ text: String, limit: Int) -> String {
        shown(text, limit: limit, keepsLines: true)
    }

    /// The last forty lines, indented from the second on.
    package static func lines(_ text: String, indent: String) -> String {
        text.split(whereSeparator: \.isNewline).suffix(40).map { line(String($0)) }.joined(separator: "\n" + indent)
    }

    /// A JSON document, or the same as our YAML, with the characters of its texts escaped as the format has it, so that
    /// it reads back the same.
    ///
    /// - Parameter isYAML: whether a character takes one escape, whatever it is, and not two halves.
    package static func document(_ text: String, isYAML: Bool = false) -> String {
        var shown = ""
        var reader = Reader()
        for scalar in text.unicodeScalars {
            if scalar == "\n" || reader.shows(scalar) {
                shown.unicodeScalars.append(scalar)
            } else if isYAML {
                shown += "\\U" + hexadecimal(scalar.value, width: 8)
            } else {
                for unit in UTF16.encode(scalar) ?? .init() { shown += "\\u" + hexadecimal(UInt32(unit), width: 4) }
            }
        }
        return shown
    }

    /// Printable ASCII of at most `limit` characters, with `...` where something was cut off: for files and labels.
    package static func ascii(_ text: String, limit: Int) -> String {
        var shown = ""
        // Up to here there is room for the mark.
        var kept = 0
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x20...0x7E: shown.unicodeScalars.append(scalar)
            // A sidecar's own mark for what it cut.
            case 0x2026: shown += "..."
            default: shown += escape(scalar)
            }
            guard shown.utf8.count <= limit else { return shown.prefix(kept) + "..." }
            if shown.utf8.count <= limit - 3 { kept = shown.utf8.count }
        }
        return shown
    }

    private static func shown(_ text: String, limit: Int, keepsLines: Bool) -> String {
        var shown = ""
        var reader = Reader()
        for (count, scalar) in text.unicodeScalars.enumerated() {
            guard count < limit else { return shown + "…" }
            shown += keepsLines && scalar == "\n" ? "\n" : reader.text(scalar)
        }
        return shown
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        "\\u{\(String(scalar.value, radix: 16))}"
    }

    private static func hexadecimal(_ value: UInt32, width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(width - digits.count, 0)) + digits
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }
}
