import ReconcilerModel

/// One `kind: Agent` document.
struct AgentDocument {
    var name: String
    /// nil if it has an error, which has been reported.
    var agent: AgentSpec?
    var cursor: Cursor
    var folder: String?
}

/// The body of a Markdown manifest.
struct MarkdownPrompt {
    var text: String
    var position: SourcePosition
}
