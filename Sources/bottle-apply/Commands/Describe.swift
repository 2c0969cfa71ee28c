import ArgumentParser
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
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
        var lister = BottleLister(context: context)
        defer { lister.close() }
        let items = try await lister.items([identity])
        guard let item = items.first else { throw BottleError.missing(identity) }
        // A bottle that was deleted, and of which not all is gone, is described too.
        let moment = CommandContext.now()
        let desired = try await context.snapshot()?.desired(of: identity, at: moment)
        let manifest = desired?.declared
        var assessment: Assessor.Assessment?
        if let manifest {
            let engine = try await context.engine()
            defer { engine.close() }
            assessment = try await PlanView(context: context).plans(of: [manifest], engine: engine).first
        }
        let remediations = desired?.remedied.outcomes ?? []
        let passes = try passes(of: identity, context)
        let document = BottleDescription(
            bottle: item,
            passes: passes,
            remediations: remediations.map { RemediationItem($0) },
            plan: assessment.map { PlanDocument.Bottle($0.plan, preflight: $0.preflight) }
        )
        let style = Style(isOn: context.console.colorsOutput)
        try context.show(document) { text(item, passes, remediations, manifest, assessment, style) }
    }

    private func passes(of identity: Identity, _ context: CommandContext) throws -> [PassSummary] {
        guard let state = try StateFolder.open(context.paths.state) else { return [] }
        return try JSONStore<BottleStatus>(folder: state.status, noun: "status").load(identity)?.passes ?? []
    }

    private func text(of pass: PassSummary, _ style: Style) -> [String] {
        let id = pass.id.map { "  pass \(VisibleText.line($0, limit: 20))" } ?? ""
        var lines = ["  \(pass.time)  \(pass.outcome)  \(style.dim(String(pass.revision.prefix(12)) + id))"]
        lines += pass.drift.map { "    drift: \(VisibleText.line($0, limit: 200))" }
        lines += pass.actions.map { act in
            let path = act.path.map { " \(VisibleText.line($0))" } ?? ""
            let error = act.error.map { ": \(VisibleText.line($0, limit: 200))" } ?? ""
            return "    \(act.verb) \(act.object)\(path) (\(act.reason)) \(act.outcome) \(act.ms) ms\(error)"
        }
        if let error = pass.error { lines.append("    \(VisibleText.line(error, limit: 300))") }
        return lines
    }

    private func text(
        _ item: BottleItem,
        _ passes: [PassSummary],
        _ remediations: [RemediationOutcome],
        _ manifest: BottleManifest?,
        _ assessment: Assessor.Assessment?,
        _ style: Style
    ) -> String {
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
        if let assessment, let manifest {
            lines += [
                "", "May reach:",
                PlanText.of(assessment.preflight, manifest: manifest, images: assessment.desired.images, style: style),
            ]
            lines += ["", "Drift and pending actions:", PlanText.of(assessment.plan, style: style)]
        }
        if !remediations.isEmpty {
            lines += ["", "Remediations:"] + remediations.flatMap { RemediationItem($0).text(style: style) }
        }
        if !passes.isEmpty { lines += ["", "Last passes:"] + passes.reversed().flatMap { text(of: $0, style) } }
        return lines.joined(separator: "\n")
    }
}

private struct BottleDescription: Encodable {
    var apiVersion = "bottle/v1"
    var kind = "BottleDescription"
    var bottle: BottleItem
    var passes: [PassSummary]
    var remediations: [RemediationItem]
    var plan: PlanDocument.Bottle?
}
