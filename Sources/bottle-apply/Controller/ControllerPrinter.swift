import FoundationEssentials
import ReconcilerModel
import ReconcilerOperations
import ReconcilerProposals
import ReconcilerTime

/// Shows what a controller does: its log on standard error, and with `-o json` a result a line on standard output.
final class ControllerPrinter: Sendable {
    private let context: CommandContext
    private let log: LogFormat
    private let progress: ProgressPrinter

    init(context: CommandContext, log: LogFormat) {
        self.context = context
        self.log = log
        progress = ProgressPrinter(console: context.console, verbose: context.isVerbose)
    }

    func show(_ report: ControllerReport) {
        if case .ended(let result) = report, context.format.isDocument { showDocument(of: result) }
        switch log {
        case .json: LogLine.lines(of: report).forEach(write)
        case .text: showText(of: report)
        }
    }

    /// A call to the engine, for those who asked to see them.
    func show(_ call: EngineCall) {
        switch log {
        case .json: write(LogLine(call))
        case .text: context.console.show(call)
        }
    }

    /// Where the metrics are to be had.
    func showMetrics(at address: String) {
        switch log {
        case .json:
            var line = LogLine(.info, "metrics are served")
            line.address = address
            write(line)
        case .text: say("metrics at http://\(address)/metrics")
        }
    }

    /// A quiet pass is not worth a line.
    private func showDocument(of result: PassResult) {
        guard !result.performed.isEmpty || result.error != nil else { return }
        let document = PlanDocument(kind: .result, bottles: [PlanDocument.Bottle(result)])
        guard let text = try? OutputFormat.line(of: document) else { return }
        context.console.out(text)
    }

    private func write(_ line: LogLine) {
        guard line.level != .debug || context.isVerbose else { return }
        var line = line
        let now = Date().timeIntervalSince1970
        let seconds = now.rounded(.down)
        let milliseconds = Int64(((now - seconds) * 1000).rounded(.down))
        line.time = Timestamp(seconds: Int64(seconds), nanoseconds: milliseconds * 1_000_000).description
        guard let text = try? OutputFormat.line(of: line) else { return }
        context.console.err(text)
    }

    private func showText(of report: ControllerReport) {
        switch report {
        case .watching(let bottles, _, let revision):
            let names = bottles.isEmpty ? "no bottles" : bottles.map(\.name).joined(separator: ", ")
            say("revision \(revision.short): \(names)")
        case .began: break
        case .progress(let bottle, _, let event): progress.show(bottle, event)
        case .ended(let result): showText(of: result)
        case .removed(let bottle, let pass, let isComplete):
            say("\(bottle)  \(isComplete ? "removed" : "not all of it could be removed") (pass \(pass))")
        case .proposed(let proposal):
            say("\(proposal.bottle)  asks with \(proposal.tool.rawValue): `bottle proposals show \(proposal.id)`")
        case .failed(let bottle, let pass, let error):
            say("\(bottle)  \(VisibleText.line(error.summary)) (pass \(pass))")
        case .healedTooOften(let bottle, _, let rest):
            say(
                "\(bottle)  healed so often of late that the next heal waits \(rest / .seconds(1)) s: "
                    + "`bottle audit \(bottle) --kind heal` and `bottle logs \(bottle)` tell what ends again and again"
            )
        case .trouble(let error): complain(of: error)
        case .recovered(let subsystem): say("\(subsystem.rawValue) can be read again")
        case .stopping: say("stopping: what is under way is finished first")
        }
    }

    private func showText(of result: PassResult) {
        guard !context.format.isDocument else { return }
        let pass = result.id.map { " (pass \($0))" } ?? ""
        for drift in result.drift { say("\(result.identity)  drift: \(drift.object) \(VisibleText.line(drift.cause))") }
        if let error = result.error {
            say("\(result.identity)  \(result.outcome.word), \(PlanText.count(result.performed.count))\(pass)")
            complain(of: error)
        } else if !result.performed.isEmpty {
            say("\(result.identity)  converged, \(PlanText.count(result.performed.count))\(pass)")
        }
    }

    private func complain(of error: BottleError) { context.console.complain(of: error) }

    private func say(_ text: String) { context.console.err(text) }
}
