import ArgumentParser
import ReconcilerModel
import ReconcilerOperations

/// What changed of a bottle's desired state between two revisions: what `diff BOTTLE REVISION` shows.
struct RevisionDiff {
    let context: CommandContext

    /// Whether `text` can only be meant as revisions.
    static func isRange(_ text: String) -> Bool {
        text.wholeMatch(of: /(HEAD|[0-9a-f]{4,64})(~[0-9]+)?(\.\.((HEAD|[0-9a-f]{4,64})(~[0-9]+)?)?)?/) != nil
    }

    /// Prints the difference, and exits 2 when there is one.
    func show(_ difference: RevisionDifference, of identity: Identity) throws {
        let document = RevisionDiffDocument(
            bottle: identity.name,
            from: difference.from.id,
            to: difference.to.id,
            diff: difference.diff,
            authority: difference.authority
        )
        let style = Style(isOn: context.console.colorsOutput)
        try context.show(document) {
            guard !difference.diff.isEmpty else { return "no difference" }
            let text = Self.text(of: difference.diff, style: style)
            guard let authority = difference.authority, !authority.isEmpty else { return text }
            return "\(text)\n\(AuthorityText.of(authority, style: style))"
        }
        if !difference.diff.isEmpty { throw ExitStatus.changesPending }
    }

    /// A unified diff for a terminal: coloured, and harmless whatever is in it.
    static func text(of difference: String, style: Style) -> String {
        difference.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { line in
            let text = VisibleText.line(String(line))
            if line.hasPrefix("+++") || line.hasPrefix("---") || line.hasPrefix("diff ") { return style.bold(text) }
            if line.hasPrefix("+") { return style.green(text) }
            if line.hasPrefix("-") { return style.red(text) }
            return line.hasPrefix("@@") ? style.dim(text) : text
        }.joined(separator: "\n")
    }
}

private struct RevisionDiffDocument: Encodable {
    var apiVersion = "bottle/v1"
    var kind = "RevisionDiff"
    var bottle: String
    var from: String
    var to: String
    var diff: String
    var authority: [AuthorityChange]?
}
