import ReconcilerModel

/// Lines of the audit log as a person reads them.
enum AuditView {
    static let header = row("SEQ", "TIME", "BOTTLE", "WHAT", "DETAILS")

    static func row(_ line: AuditLine) -> String {
        row(
            String(line.sequence),
            VisibleText.line(line.time, limit: 40),
            VisibleText.line(line.bottle ?? "–", limit: 80),
            VisibleText.line(line.what, limit: 40),
            VisibleText.line("\(summary(line))  (\(line.operator))", limit: 600)
        )
    }

    /// Wide enough for nearly all; a column that can't be known beforehand moves the rest of its line.
    private static func row(_ cells: String...) -> String {
        zip(cells, [6, 20, 16, 11, 0]).map { cell, width in
            cell + String(repeating: " ", count: max(0, width - cell.count))
        }.joined(separator: "  ")
    }

    private static func summary(_ line: AuditLine) -> String {
        let details = line.details
        var parts: [String] = []
        if let action = details.action { parts.append(text(action)) }
        if let healed = details.healed { parts.append("\(healed.object) \(healed.cause) (\(healed.kind))") }
        if let edit = details.edit { parts.append("about to \(edit)") }
        if let actions = details.actions { parts.append("about to \(actions.map(text).joined(separator: ", "))") }
        if let revision = line.revision, details.actions == nil { parts.append("revision \(revision.prefix(12))") }
        if let reason = details.reason { parts.append("“\(reason)”") }
        parts += (details.before ?? []).map { "−\($0)" } + (details.after ?? []).map { "+\($0)" }
        if let authority = details.authority { parts.append("authority: \(authority.joined(separator: ", "))") }
        if let checkpoint = details.checkpoint { parts.append("signed up to \(checkpoint.sequence)") }
        if let torn = details.torn { parts.append("\(torn.bytes) bytes that a killed writer left are set aside") }
        if let file = details.file { parts.append("\(file) was full") }
        if let outcome = details.outcome { parts.append(outcome) }
        if let error = details.error { parts.append(error) }
        if let omitted = details.omitted { parts.append("and \(omitted) more") }
        return parts.joined(separator: "; ")
    }

    private static func text(_ action: AuditDetails.Act) -> String {
        let about = [action.path, action.network].compactMap { $0 }.map { " \($0)" }.joined()
        let outcome = [action.outcome, action.error].compactMap { $0 }.map { " \($0)" }.joined()
        return "\(action.verb) \(action.object)\(about) (\(action.reason))\(outcome)"
    }
}
