package import ReconcilerModel

/// The diagnostics of one reading, bounded in number.
package struct Findings: Sendable {
    /// A file with more mistakes than this is not worth listing further.
    static let limit = 200

    package private(set) var diagnostics: [Diagnostic] = []
    private var dropped = 0

    package init() {}

    /// Whether an error was found.
    package private(set) var hasErrors = false

    mutating func add(_ diagnostic: Diagnostic) {
        if diagnostic.severity == .error { hasErrors = true }
        guard diagnostics.count < Self.limit else {
            dropped += 1
            return
        }
        diagnostics.append(diagnostic)
    }

    /// Whether further findings are only counted, so that nobody need spend time on their words.
    var isFull: Bool { diagnostics.count >= Self.limit }

    mutating func error(_ code: String, _ message: String, at place: Place, suggestion: String? = nil) {
        guard !isFull else { return count(.error) }
        add(place.diagnostic(.error, code, message, suggestion))
    }

    mutating func warning(_ code: String, _ message: String, at place: Place, suggestion: String? = nil) {
        guard !isFull else { return count(.warning) }
        add(place.diagnostic(.warning, code, message, suggestion))
    }

    private mutating func count(_ severity: Diagnostic.Severity) {
        dropped += 1
        if severity == .error { hasErrors = true }
    }

    /// Reports that `value` is not what its type demands.
    mutating func invalid(_ value: InvalidValue, path: String, at place: Place) {
        error(
            "invalid-value",
            "\(path): \(quoted(value.text)) is not a valid \(value.kind)",
            at: place,
            suggestion: value.rule
        )
    }

    mutating func append(_ other: Findings) {
        for diagnostic in other.diagnostics { add(diagnostic) }
        dropped += other.dropped
        hasErrors = hasErrors || other.hasErrors
    }

    /// All findings in the order of files (as given) and places, with a last word on what was left out.
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

/// A mark in a source.
struct Place: Sendable {
    var source: SourceText
    var mark: YAMLMark

    var location: SourceLocation { source.location(mark) }

    func diagnostic(
        _ severity: Diagnostic.Severity,
        _ code: String,
        _ message: String,
        _ suggestion: String?
    ) -> Diagnostic {
        Diagnostic(
            severity: severity,
            code: code,
            message: message,
            location: location,
            snippet: source.line(mark.line),
            suggestion: suggestion
        )
    }
}

/// `text` in single quotes, cut to a length that fits a message.
func quoted(_ text: String) -> String {
    text.unicodeScalars.count <= 80 ? "'\(text)'" : "'\(String(text.unicodeScalars.prefix(77)))…'"
}
