package import ReconcilerModel

/// The diagnostics of one reading, limited in number.
package struct Findings: Sendable {
    /// The most diagnostics to list; a longer list would not help.
    static let limit = 200

    package private(set) var diagnostics: [Diagnostic] = []
    private var dropped = 0

    package init() {}

    /// Whether there is an error among the findings.
    package private(set) var hasErrors = false

    mutating func add(_ diagnostic: Diagnostic) {
        if diagnostic.severity == .error { hasErrors = true }
        guard diagnostics.count < Self.limit else {
            dropped += 1
            return
        }
        diagnostics.append(diagnostic)
    }

    /// Whether further findings are only counted, so that callers can skip building their messages.
    var isFull: Bool { diagnostics.count >= Self.limit }

    mutating func error(_ code: String, _ message: String, at position: SourcePosition, suggestion: String? = nil) {
        guard !isFull else { return count(.error) }
        add(position.diagnostic(.error, code, message, suggestion))
    }

    mutating func warning(_ code: String, _ message: String, at position: SourcePosition, suggestion: String? = nil) {
        guard !isFull else { return count(.warning) }
        add(position.diagnostic(.warning, code, message, suggestion))
    }

    private mutating func count(_ severity: Diagnostic.Severity) {
        dropped += 1
        if severity == .error { hasErrors = true }
    }

    /// Reports that `value` is not valid for its type.
    mutating func invalid(_ value: InvalidValue, path: String, at position: SourcePosition) {
        error(
            "invalid-value",
            "\(path): \(quoted(value.text)) is not a valid \(value.kind)",
            at: position,
            suggestion: value.rule
        )
    }

    mutating func append(_ other: Findings) {
        for diagnostic in other.diagnostics { add(diagnostic) }
        dropped += other.dropped
        hasErrors = hasErrors || other.hasErrors
    }

    /// All findings ordered by file (as given) and position; if some were dropped, a final one says how many.
    func ordered(files: [String]) -> [Diagnostic] {
        var rank: [String: Int] = [:]
        for file in files where rank[file] == nil { rank[file] = rank.count }
        func key(_ diagnostic: Diagnostic) -> (Int, Int, Int) {
            guard let location = diagnostic.location else { return (Int.max, 0, 0) }
            return (rank[location.file] ?? Int.max, location.line, location.column)
        }
        var sorted = diagnostics.enumerated().sorted { left, right in
            let (one, two) = (key(left.element), key(right.element))
            return one == two ? left.offset < right.offset : one < two
        }.map(\.element)
        if dropped > 0 {
            sorted.append(Diagnostic(code: "too-many-problems", message: "and \(dropped) more problems"))
        }
        return sorted
    }
}

/// `text` in single quotes, cut to a length that fits into a message.
func quoted(_ text: String) -> String {
    text.unicodeScalars.count <= 80 ? "'\(text)'" : "'\(String(text.unicodeScalars.prefix(77)))…'"
}
