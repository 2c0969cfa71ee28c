import ArgumentParser
import Reconciler
import ReconcilerModel
import ReconcilerState

/// What changed of a bottle's desired state between two revisions: what `diff BOTTLE REVISION` shows.
struct RevisionDiff {
    let context: CommandContext
    let identity: Identity
    /// `REV`, which is compared with now, or `REV..REV`.
    let range: String

    /// Whether `text` can only be meant as revisions.
    static func isRange(_ text: String) -> Bool {
        text.wholeMatch(of: /(HEAD|[0-9a-f]{4,64})(~[0-9]+)?(\.\.((HEAD|[0-9a-f]{4,64})(~[0-9]+)?)?)?/) != nil
    }

    /// Prints the difference, and exits 2 when there is one.
    func show() async throws {
        guard let repository = try context.openRepository() else { throw BottleError.missing(identity) }
        guard try await repository.lastChange(of: identity) != nil else { throw BottleError.missing(identity) }
        let ends = range.split(separator: ".", omittingEmptySubsequences: true).map(String.init)
        let old = try await repository.revision(named: ends.first ?? "")
        let new = try await repository.revision(named: ends.count > 1 ? ends[1] : "HEAD")
        let difference = try await repository.difference(of: identity, from: old, to: new)
        let authority = try await authority(from: old, to: new, in: repository)
        let document = RevisionDiffDocument(
            bottle: identity.name,
            from: old.id,
            to: new.id,
            diff: difference,
            authority: authority
        )
        let style = Style(isOn: context.console.colorsOutput)
        try context.show(document) {
            guard !difference.isEmpty else { return "no difference" }
            let text = Self.text(of: difference, style: style)
            guard let authority, !authority.isEmpty else { return text }
            return "\(text)\n\(AuthorityText.of(authority, style: style))"
        }
        if !difference.isEmpty { throw ExitStatus.changesPending }
    }

    /// What the newer revision allows that the older did not, and the other way round; nil when one can't be read.
    private func authority(
        from old: Revision,
        to new: Revision,
        in repository: DesiredRepository
    ) async throws -> [AuthorityChange]? {
        let moment = CommandContext.now()
        let (before, after) = (try await repository.snapshot(at: old), try await repository.snapshot(at: new))
        do {
            return Authority.changes(
                from: try before.desired(of: identity, at: moment)?.remedied.manifest,
                to: try after.desired(of: identity, at: moment)?.remedied.manifest
            )
        } catch is BottleError {
            return nil
        }
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
