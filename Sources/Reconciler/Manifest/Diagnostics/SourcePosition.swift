import ReconcilerModel

/// A position in a source text, which can make diagnostics that point to it.
struct SourcePosition: Sendable {
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
