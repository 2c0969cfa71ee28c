import ReconcilerModel
import ReconcilerOperations
import ReconcilerProposals

/// A line of a controller's log as JSON; docs/metrics.md lists the fields, which are a contract and only grow.
struct LogLine: Encodable {
    enum Level: String, Encodable {
        case debug, info, warning, error
    }

    /// RFC 3339, in UTC; set when it is written.
    var time = ""
    var level: Level
    /// What happened, one of a few fixed texts.
    var message: String
    var bottle: String?
    /// Which pass it was; the same in results and in what `describe` shows.
    var pass: String?

    /// Of an action and of drift.
    var verb: String?
    var object: String?
    var reason: String?
    var path: String?
    var network: String?
    var kind: String?
    var cause: String?

    /// What became of an action or a pass.
    var outcome: String?
    var ms: Int?
    /// A stable word for what went wrong.
    var code: String?
    var error: String?

    var revision: String?
    var bottles: Int?
    var actions: Int?
    var address: String?
    var line: String?
    var endpoint: String?
    var status: Int?

    init(_ level: Level, _ message: String, bottle: Identity? = nil, pass: PassID? = nil) {
        self.level = level
        self.message = message
        self.bottle = bottle?.name
        self.pass = pass?.description
    }

    /// The lines that a report is worth; a pass that found nothing to do is worth none.
    static func lines(of report: ControllerReport) -> [LogLine] {
        switch report {
        case .watching(let bottles, _, let revision):
            var line = LogLine(.info, "desired state read")
            line.bottles = bottles.count
            line.revision = revision.id
            return [line]
        case .began(let bottle, let pass):
            return [LogLine(.debug, "pass began", bottle: bottle, pass: pass)]
        case .progress(let bottle, let pass, let progress):
            return [LogLine(progress, bottle, pass)]
        case .ended(let result):
            return lines(of: result)
        case .removed(let bottle, let pass, let isComplete):
            let message = isComplete ? "bottle removed" : "bottle not wholly removed"
            return [LogLine(isComplete ? .info : .warning, message, bottle: bottle, pass: pass)]
        case .proposed(let proposal):
            var line = LogLine(.info, "proposal", bottle: proposal.bottle)
            line.kind = proposal.tool.rawValue
            line.object = proposal.id.text
            return [line]
        case .failed(let bottle, let pass, let error):
            return [LogLine(.error, "pass failed", bottle: bottle, pass: pass).with(error)]
        case .healedTooOften(let bottle, let pass, let rest):
            var line = LogLine(.warning, "healed too often", bottle: bottle, pass: pass)
            line.ms = Int(rest / .milliseconds(1))
            return [line]
        case .trouble(let error):
            return [LogLine(.error, "trouble").with(error)]
        case .recovered(let subsystem):
            var line = LogLine(.info, "recovered")
            line.object = subsystem.rawValue
            return [line]
        case .stopping:
            return [LogLine(.info, "stopping")]
        }
    }

    /// A call to the engine.
    init(_ call: EngineCall) {
        self.init(.debug, "engine call")
        endpoint = call.endpoint
        line = "\(call.method) \(call.target.prefix(300))"
        status = call.status
        ms = Int(call.duration / .milliseconds(1))
    }

    private static func lines(of result: PassResult) -> [LogLine] {
        guard !result.performed.isEmpty || !result.drift.isEmpty || result.error != nil else { return [] }
        var lines = result.drift.map { drift in
            var line = LogLine(.info, "drift", bottle: result.identity, pass: result.id)
            line.kind = drift.kind.rawValue
            line.object = "\(drift.object)"
            line.cause = drift.cause
            return line
        }
        var line = LogLine(result.level, "pass ended", bottle: result.identity, pass: result.id)
        line.outcome = result.outcome.word
        line.actions = result.performed.count
        line.revision = result.revision?.id
        lines.append(result.error.map(line.with) ?? line)
        return lines
    }

    private init(_ progress: PassProgress, _ bottle: Identity, _ pass: PassID) {
        switch progress {
        case .began(let action):
            self.init(.debug, "action began", bottle: bottle, pass: pass)
            take(action)
        case .ended(let performed):
            self.init(performed.outcome == .done ? .info : .warning, "action ended", bottle: bottle, pass: pass)
            take(performed.action)
            outcome = performed.outcome.rawValue
            ms = performed.milliseconds
            error = performed.error.map { String($0.prefix(2000)) }
        case .waiting(let holder):
            self.init(.info, "waiting for a lock", bottle: bottle, pass: pass)
            cause = holder
        case .warning(let text):
            self.init(.warning, "warning", bottle: bottle, pass: pass)
            error = String(text.prefix(2000))
        case .output(let action, let text):
            self.init(.debug, "output", bottle: bottle, pass: pass)
            take(action)
            line = String(text.prefix(400))
        }
    }

    private mutating func take(_ action: Action) {
        verb = action.verb.rawValue
        object = "\(action.object)"
        reason = action.reason.rawValue
        path = action.path
        network = action.network?.rawValue
    }

    private func with(_ error: BottleError) -> LogLine {
        var line = self
        line.code = error.code.rawValue
        line.error = String(error.summary.prefix(2000))
        return line
    }
}

extension PassResult {
    fileprivate var level: LogLine.Level {
        switch outcome {
        case .converged: .info
        case .retry: .warning
        case .stalled: .error
        }
    }
}
