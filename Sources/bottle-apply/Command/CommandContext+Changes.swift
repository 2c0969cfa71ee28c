import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform

extension CommandContext {
    /// Shows a change, asks, commits, converges, and prints the results.
    func carryOut(_ change: PreparedChange, yes: Bool) async throws {
        let report = PassReport(context: self)
        if let settled = change.settled { return try report.show(settled, authority: change.authority) }
        let mayEndAgents = try confirm(change, yes: yes)
        let revision = try await change.commit()
        let results = try await change.converge(mayEndAgents: mayEndAgents, progress: progress)
        try report.show(
            results,
            authority: change.authority,
            revision: change.kind == .apply ? nil : revision?.id
        )
    }

    /// Shows what a change comes to, and asks where a person can answer.
    ///
    /// - Returns: whether living agents may be ended.
    /// - Throws: `BottleError` `declined`, or `needs-yes` where no person can answer and a living agent would end.
    func confirm(_ change: PreparedChange, yes: Bool) throws -> Bool {
        let changed = change.bottles.filter(\.hasChanges)
        let isDeletion = change.kind == .delete
        guard isDeletion || !changed.isEmpty else { return yes }
        let asks = !yes && console.terminal.inputIsTerminal && console.terminal.errorIsTerminal
        if asks || !format.isDocument {
            for bottle in changed { show(bottle, withPreflight: change.kind == .apply) }
        }
        guard !yes else { return true }
        let ended = isDeletion ? change.identities : change.endedAgents
        let names = ended.map(\.name).joined(separator: ", ")
        guard asks else {
            guard !isDeletion else {
                throw BottleError(
                    .needsYes,
                    "this would delete \(names), with the agent's home",
                    remedy: "add --yes to do it; nothing was changed"
                )
            }
            guard ended.isEmpty else { throw BottleError.needsYes(ended) }
            return false
        }
        let question =
            isDeletion
            ? "Delete \(names), with the agent's home?"
            : ended.isEmpty ? "Do this?" : "Do this, and replace the living agent of \(names)?"
        guard console.confirm(question) else { throw BottleError(.declined, "nothing was changed") }
        return true
    }

    private func show(_ bottle: PlannedBottle, withPreflight: Bool) {
        let style = Style(isOn: console.colorsErrors)
        for note in bottle.notes { console.err("\(bottle.identity): \(VisibleText.line(note, limit: 200))") }
        console.err(PlanText.of(bottle.plan, style: style))
        if !bottle.authority.isEmpty { console.err(AuthorityText.of(bottle.authority, style: style)) }
        guard withPreflight, let manifest = bottle.manifest else { return }
        console.err(PlanText.of(bottle.preflight, manifest: manifest, images: bottle.images, style: style))
    }

    /// Says that the sidecars' logs could not be read, where that is so.
    func warn(ofUnread error: BottleError?) {
        if let error { console.err("only what was kept is shown: \(error.message)") }
    }
}
