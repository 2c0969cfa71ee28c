import ArgumentParser
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform
import ReconcilerTime

struct Describe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show one bottle whole: conditions, containers, what it may reach, drift and what is pending.",
        discussion: """
              bottle describe dev
              bottle describe dev -o yaml
            """
    )

    @Argument(help: "The bottle.")
    var bottle: String

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let identity = try Identity(bottle)
        let description = try await context.operations.describe(identity)
        let document = DescriptionDocument(
            bottle: description.item,
            passes: description.passes,
            remediations: description.remediations.map { RemediationItem($0) },
            plan: description.planned.map { PlanDocument.Bottle($0.plan, preflight: $0.preflight) }
        )
        let style = Style(isOn: context.console.colorsOutput)
        try context.show(document) { text(of: description, style) }
    }

    private func text(of pass: PassSummary, _ style: Style) -> [String] {
        let id = pass.id.map { "  pass \(VisibleText.line($0, limit: 20))" } ?? ""
        var lines = ["  \(pass.time)  \(pass.outcome)  \(style.dim((pass.revision?.short ?? "") + id))"]
        lines += pass.drift.map { "    drift: \(VisibleText.line($0, limit: 200))" }
        lines += pass.actions.map { act in
            let path = act.path.map { " \(VisibleText.line($0))" } ?? ""
            let error = act.error.map { ": \(VisibleText.line($0, limit: 200))" } ?? ""
            return "    \(act.verb) \(act.object)\(path) (\(act.reason)) \(act.outcome) \(act.ms) ms\(error)"
        }
        if let error = pass.error { lines.append("    \(VisibleText.line(error, limit: 300))") }
        return lines
    }

    private func text(of description: BottleDescription, _ style: Style) -> String {
        let (item, passes, remediations) = (description.item, description.passes, description.remediations)
        var lines = [
            "Name:      \(item.identity)",
            "Desired:   \(item.desiredRevision ?? "nothing: it was deleted, and not all of it is gone")",
            "Observed:  \(item.observedRevision ?? "never converged")",
            "", "Conditions:",
        ]
        var conditions = Table("  TYPE", "STATUS", "SINCE", "REASON", "MESSAGE")
        for condition in item.conditions {
            conditions.rows.append([
                "  \(condition.type.rawValue)", condition.status.rawValue, condition.lastTransitionTime.description,
                condition.reason, VisibleText.line(condition.message, limit: 200),
            ])
        }
        lines.append(conditions.text)
        var containers = Table("  ROLE", "STATE", "ID", "IMAGE")
        for container in item.containers {
            containers.rows.append([
                "  \(container.role)", container.state, String(container.id.prefix(12)),
                VisibleText.line(container.image),
            ])
        }
        lines += ["", "Containers:", containers.text]
        if let planned = description.planned, let manifest = description.declared {
            lines += [
                "", "May reach:",
                PlanText.of(planned.preflight, manifest: manifest, images: planned.images, style: style),
            ]
            lines += ["", "Drift and pending actions:", PlanText.of(planned.plan, style: style)]
        }
        if !remediations.isEmpty {
            lines += ["", "Remediations:"] + remediations.flatMap { RemediationItem($0).text(style: style) }
        }
        if !passes.isEmpty { lines += ["", "Last passes:"] + passes.reversed().flatMap { text(of: $0, style) } }
        return lines.joined(separator: "\n")
    }
}

private struct DescriptionDocument: Encodable {
    var apiVersion = "bottle/v1"
    var kind = "BottleDescription"
    var bottle: BottleItem
    var passes: [PassSummary]
    var remediations: [RemediationItem]
    var plan: PlanDocument.Bottle?
}
