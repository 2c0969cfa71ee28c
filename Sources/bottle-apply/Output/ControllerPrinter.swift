import Reconciler
import ReconcilerModel

/// Shows what a controller does: a line for each thing that happened, or a JSON document a line.
final class ControllerPrinter: Sendable {
    private let context: CommandContext
    private let progress: ProgressPrinter

    init(context: CommandContext) {
        self.context = context
        progress = ProgressPrinter(console: context.console, verbose: context.isVerbose)
    }

    func show(_ report: ControllerReport) {
        switch report {
        case .watching(let bottles, let revision):
            let names = bottles.isEmpty ? "no bottles" : bottles.map(\.name).joined(separator: ", ")
            say("revision \(revision.prefix(12)): \(names)")
        case .progress(let bottle, let event): progress.show(bottle, event)
        case .ended(let result): show(result)
        case .failed(let bottle, let error): say("\(bottle)  \(error.summary)")
        case .trouble(let error): context.console.err(error.text(Style(isOn: context.console.colorsErrors)))
        case .recovered(let matter): say("\(matter) can be read again")
        case .stopping: say("stopping: what is under way is finished first")
        }
    }

    /// A quiet pass is not worth a line.
    private func show(_ result: PassResult) {
        if context.format.isDocument {
            guard !result.performed.isEmpty || result.error != nil else { return }
            let document = PlanDocument(kind: .result, bottles: [PlanDocument.Bottle(result)])
            guard let text = try? OutputFormat.line(of: document) else { return }
            context.console.out(text)
        } else {
            for drift in result.drift { say("\(result.identity)  drift: \(drift.object) \(Escaped.line(drift.cause))") }
            if let error = result.error {
                context.console.err(error.text(Style(isOn: context.console.colorsErrors)))
            } else if !result.performed.isEmpty {
                say("\(result.identity)  converged, \(PlanText.count(result.performed.count))")
            }
        }
    }

    private func say(_ text: String) { context.console.err(text) }
}
