import ReconcilerModel

/// What a change adds to what a bottle may do, and what it takes away, as a person reads it.
enum AuthorityText {
    /// One line each, what is added in yellow.
    static func of(_ changes: [AuthorityChange], style: Style) -> String {
        changes.map { change in
            let text = "\(change.change.sign) \(change.kind.rawValue) \(VisibleText.line(change.subject, limit: 200))"
            return "  authority \(change.change == .added ? style.yellow(text) : text)"
        }.joined(separator: "\n")
    }
}
