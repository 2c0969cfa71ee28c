/// One finding about a text that a person wrote, with its place.
package struct Diagnostic: Sendable, Hashable {
    package enum Severity: String, Sendable, Hashable { case error, warning }

    package var severity: Severity
    /// Stable kebab-case word for programs.
    package var code: String
    package var message: String
    package var location: SourceLocation?
    /// The offending line, without its newline, as written.
    package var snippet: String?
    /// What would be right here: the nearest valid key, or the rewrite of an older shape.
    package var suggestion: String?

    package init(
        severity: Severity = .error,
        code: String,
        message: String,
        location: SourceLocation? = nil,
        snippet: String? = nil,
        suggestion: String? = nil
    ) {
        self.severity = severity
        self.code = code
        self.message = message
        self.location = location
        self.snippet = snippet
        self.suggestion = suggestion
    }
}

/// A place in a text file; line and column count from 1.
package struct SourceLocation: Sendable, Hashable, CustomStringConvertible {
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    package var description: String { "\(file):\(line):\(column)" }
}
