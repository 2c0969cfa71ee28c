import ArgumentParser
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check what bottle needs on this machine, and say what to do about what is missing.",
        discussion: """
              bottle doctor
              bottle doctor -o json
            """
    )

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let checks = await context.operations.diagnose()
        let style = Style(isOn: context.console.colorsOutput)
        try context.show(DoctorDocument(checks: checks)) {
            checks.map { check in
                let mark =
                    switch check.verdict {
                    case .good: style.green("✓")
                    case .warning: style.yellow("!")
                    case .bad: style.red("✗")
                    }
                let next = check.remedy.map { "\n    next: \($0)" } ?? ""
                return "\(mark) \(check.name): \(VisibleText.line(check.finding))\(next)"
            }.joined(separator: "\n")
        }
        if checks.contains(where: { $0.verdict == .bad }) { throw ExitStatus.failure }
    }
}

private struct DoctorDocument: Encodable {
    var apiVersion = "bottle/v1"
    var kind = "Diagnosis"
    var checks: [DoctorCheck]
}
