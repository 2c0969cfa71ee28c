package import ReconcilerModel

extension Plan {
    /// The plan as text, one line an action, then drift and findings: what tests compare.
    package var text: String { lines.joined(separator: "\n") }

    package var lines: [String] {
        actions.enumerated().map { index, action in "\(index) \(action.text)\(action.waits)" }
            + drift.map { "drift \($0.kind.rawValue) \($0.object): \($0.cause)" }
            + findings.map { "finding \($0.text)" }
    }

    /// Verbs and objects alone.
    package var verbs: [String] { actions.map { "\($0.verb.rawValue) \($0.object)" } }
}

extension Action {
    /// Verb, object, reason, and what the action is about besides.
    package var text: String {
        var parts = ["\(verb.rawValue) \(object) \(reason.rawValue)"]
        if let path { parts.append(path) }
        if let network { parts.append("(\(network.rawValue))") }
        return parts.joined(separator: " ")
    }

    fileprivate var waits: String {
        func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ",") }
        return (after.isEmpty ? "" : " after \(list(after))")
            + (startsAfter.isEmpty ? "" : " starts after \(list(startsAfter))")
    }
}

extension Finding {
    /// The finding without ids.
    package var text: String {
        switch self {
        case .nameTaken(let object, _, _): "name-taken \(object)"
        case .replacementPending(let reason): "replacement-pending \(reason.rawValue)"
        case .agentEnded(let code): "agent-ended \(code)"
        case .foreignContainer(let name, let network): "foreign-container \(name) \(network.rawValue)"
        default: "\(self)"
        }
    }
}
