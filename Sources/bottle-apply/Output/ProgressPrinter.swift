import ReconcilerModel
import ReconcilerPlatform

/// Shows what a pass does, a line for each action that ended; on a terminal also the one that goes on.
final class ProgressPrinter: Sendable {
    private let console: Console
    private let style: Style
    private let verbose: Bool

    init(console: Console, verbose: Bool) {
        self.console = console
        self.verbose = verbose
        style = Style(isOn: console.colorsErrors)
    }

    func show(_ identity: Identity, _ progress: PassProgress) {
        switch progress {
        case .began(let action):
            // Elsewhere than on a terminal only what can take minutes is announced.
            if case .image = action.object {} else { guard console.terminal.errorIsTerminal else { return } }
            console.err("\(identity)  \(style.dim("\(action.verb.rawValue) \(action.object) …"))")
        case .waiting(let holder):
            console.err("\(identity)  waiting for \(holder), which works on it too")
        case .output(let action, let line):
            guard verbose else { return }
            console.err("\(identity)  \(style.dim("\(action.object)  \(VisibleText.line(line, limit: 400))"))")
        case .warning(let text):
            console.err("\(identity)  \(style.yellow("!")) \(VisibleText.line(text, limit: 400))")
        case .ended(let performed):
            console.err("\(identity)  \(text(of: performed))")
        }
    }

    private func text(of performed: PerformedAction) -> String {
        let action = performed.action
        let about = [action.path, action.network?.rawValue].compactMap { $0 }.joined(separator: " ")
        let what = "\(action.verb.rawValue) \(action.object)" + (about.isEmpty ? "" : " \(VisibleText.line(about))")
        let why = style.dim("(\(action.reason.rawValue))")
        switch performed.outcome {
        case .done: return "\(style.green("✓")) \(what) \(why) \(performed.milliseconds) ms"
        case .skipped: return "\(style.yellow("–")) \(what) \(why) skipped"
        case .failed:
            let error = VisibleText.lines(performed.error ?? "failed", indent: "    ")
            return "\(style.red("✗")) \(what) \(why) \(performed.milliseconds) ms\n    \(error)"
        }
    }
}
