package import ReconcilerModel
package import ReconcilerTime

extension BottleStatus {
    /// Sets the conditions from what a pass did and found.
    ///
    /// No other place does.
    package mutating func end(_ result: PassResult, at time: Timestamp) {
        let error = result.error
        keep(PassSummary(result, at: time))
        if error == nil { observedRevision = result.revision }
        let ready = readiness(result)
        set(.ready, ready.isReady, reason: ready.reason, message: ready.message, at: time)
        let foreign = foreignContainer(in: result.findings)
        let trouble = error.map { (reason: $0.code.rawValue.camelCased, message: $0.summary) } ?? foreign
        set(
            .degraded,
            trouble != nil,
            reason: trouble?.reason ?? "Converged",
            message: trouble?.message ?? "nothing failed",
            at: time
        )
        set(.progressing, false, reason: "PassEnded", message: "no pass is under way", at: time)
        let stays = error == nil ? foreign : nil
        set(
            .drifted,
            stays != nil,
            reason: stays?.reason ?? "Healed",
            message: stays?.message ?? "nothing differs from what was converged to",
            at: time
        )

        if let outcomes = result.remediations { note(outcomes, at: time) }

        var pending: Reason?
        var ended: Int?
        for finding in result.findings {
            if case .replacementPending(let reason) = finding { pending = reason }
            if case .agentEnded(let code) = finding { ended = code }
        }
        set(
            .replacementPending,
            pending != nil,
            reason: pending.map { $0.rawValue.camelCased } ?? "UpToDate",
            message: pending == nil
                ? "the agent is as described"
                : "the living agent differs; it is replaced only by an edit, or once it ended",
            at: time
        )
        // A pass that failed before its look knows nothing about the agent.
        guard error == nil || ended != nil else { return }
        set(
            .completed,
            ended == 0,
            reason: ended == 0 ? "AgentEnded" : "AgentNotEnded",
            message: endText(ended),
            at: time
        )
        let failed = ended.map { $0 != 0 } ?? false
        set(.failed, failed, reason: failed ? "AgentEnded" : "AgentNotEnded", message: endText(ended), at: time)
    }

    /// Sets the conditions of a bottle whose plan is about to be performed.
    package mutating func begin(_ plan: Plan, at time: Timestamp) {
        let count = plan.actions.count
        set(
            .progressing,
            true,
            reason: "Acting",
            message: count == 1 ? "1 action is under way" : "\(count) actions are under way",
            at: time
        )
        guard let first = plan.drift.first else { return }
        let more = plan.drift.count > 1 ? ", and \(plan.drift.count - 1) more" : ""
        set(
            .drifted,
            true,
            reason: first.kind.rawValue.camelCased,
            message: "\(first.object) \(first.cause)\(more)",
            at: time
        )
    }

    private func foreignContainer(in findings: [Finding]) -> (reason: String, message: String)? {
        for finding in findings {
            guard case .foreignContainer(let name, let network) = finding else { continue }
            return ("ForeignContainer", "the container \(name) is on the bottle's \(network.rawValue) network")
        }
        return nil
    }

    private func readiness(_ result: PassResult) -> (isReady: Bool, reason: String, message: String) {
        if let error = result.error { return (false, error.code.rawValue.camelCased, error.summary) }
        for finding in result.findings {
            if case .agentEnded(let code) = finding { return (false, "AgentEnded", endText(code)) }
            if case .agentRests = finding { return (false, "AgentRests", "the agent ended again and again") }
        }
        return (true, "Converged", "observed is desired")
    }

    private func endText(_ code: Int?) -> String {
        code.map { "the agent ended with status \($0)" } ?? "the agent has not ended"
    }
}

extension PassSummary {
    package init(_ result: PassResult, at time: Timestamp) {
        self.init(
            id: result.id?.description,
            time: time,
            revision: result.revision,
            outcome: result.outcome.word,
            error: result.error?.summary,
            drift: result.drift.map { "\($0.object) \($0.cause)" },
            actions: result.performed.map { performed in
                Act(
                    verb: performed.action.verb.rawValue,
                    object: "\(performed.action.object)",
                    reason: performed.action.reason.rawValue,
                    path: performed.action.path,
                    outcome: performed.outcome.rawValue,
                    ms: performed.milliseconds,
                    error: performed.error
                )
            }
        )
    }
}

extension String {
    /// `name-taken` as `NameTaken`.
    var camelCased: String {
        split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}
