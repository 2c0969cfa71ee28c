import ReconcilerModel

extension Plan {
    /// The plan as text, one line an action, then drift and findings: the oracle of the golden tests.
    var text: String {
        let lines =
            actions.enumerated().map { index, action in "\(index) \(action.text)" }
            + drift.map { "drift \($0.kind.rawValue) \($0.object): \($0.cause)" } + findings.map { "finding \($0)" }
        return lines.joined(separator: "\n")
    }

    /// Verbs and objects alone.
    var verbs: [String] { actions.map { "\($0.verb.rawValue) \($0.object)" } }
}

extension Action {
    var text: String {
        var parts = ["\(verb.rawValue) \(object) \(reason.rawValue)"]
        if let path { parts.append(path) }
        if let network { parts.append("(\(network.rawValue))") }
        if !after.isEmpty { parts.append("after \(after.map(String.init).joined(separator: ","))") }
        if !startsAfter.isEmpty {
            parts.append("starts after \(startsAfter.map(String.init).joined(separator: ","))")
        }
        return parts.joined(separator: " ")
    }
}
