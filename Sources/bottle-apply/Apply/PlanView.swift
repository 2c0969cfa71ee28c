import ArgumentParser
import ReconcilerModel
import ReconcilerOperations

/// Plans as `diff` and `apply --dry-run` show them.
struct PlanView {
    let context: CommandContext

    /// Prints the plans, and exits 2 when there is anything to do.
    func show(_ bottles: [PlannedBottle]) throws {
        let document = PlanDocument(
            kind: .plan,
            bottles: bottles.map { planned in
                var bottle = PlanDocument.Bottle(planned.plan, preflight: planned.preflight)
                bottle.authority = planned.authority
                return bottle
            }
        )
        let style = Style(isOn: context.console.colorsOutput)
        try context.show(document) {
            bottles.map { bottle in
                let plan = PlanText.of(bottle.plan, style: style)
                guard !bottle.authority.isEmpty else { return plan }
                return "\(plan)\n\(AuthorityText.of(bottle.authority, style: style))"
            }.joined(separator: "\n")
        }
        if document.summary.actions > 0 { throw ExitStatus.changesPending }
    }
}
