/// Text of foreign origin, in a form that steers no terminal and no parser.
package enum PlainText {
    /// `text` in printable ASCII, at most `limit` characters, with `...` where something is missing.
    package static func ascii(_ text: String, limit: Int) -> String {
        var shown = ""
        // Up to here there is room for the mark.
        var kept = 0
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x20...0x7E: shown.unicodeScalars.append(scalar)
            // A sidecar's own mark for what it cut.
            case 0x2026: shown += "..."
            default: shown += "\\u{\(String(scalar.value, radix: 16))}"
            }
            guard shown.utf8.count <= limit else { return shown.prefix(kept) + "..." }
            if shown.utf8.count <= limit - 3 { kept = shown.utf8.count }
        }
        return shown
    }
}
