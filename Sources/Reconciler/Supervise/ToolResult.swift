import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerTime

/// The tools' results.
enum ToolResult {
    /// The result for a decided proposal.
    static func decided(_ answer: ProposalAnswer) -> JSONNode {
        var lines: [String] = []
        switch answer.state {
        case .applied:
            lines.append(
                answer.edited == nil
                    ? "approved and in force: try again what was refused"
                    : "approved with changes, and in force; this is what holds now:"
            )
            if let edited = answer.edited { lines.append(edited) }
        case .rejected: lines.append("rejected by the operator; nothing was changed. Don't ask for the same again")
        case .failed: lines.append("approved, but it did not come into force; what held before still holds")
        case .refused: lines.append("not put before the operator, or taken back; nothing was changed")
        case .approved: lines.append("approved, and coming into force")
        case .pending: lines.append("waiting for the operator")
        }
        if let words = answer.words {
            let speaker = answer.state == .applied || answer.state == .rejected ? "the operator says" : "because"
            lines.append("\(speaker): \(VisibleText.block(words, limit: ProposalAnswer.textLimit))")
        }
        lines.append("(proposal \(answer.id))")
        return result(
            [lines.joined(separator: "\n")],
            .object([
                "proposal": .text(answer.id.text), "state": .text(answer.state.rawValue),
                "isEdited": .boolean(answer.edited != nil), "words": answer.words.map(JSONNode.text),
                "revision": answer.revision.map(JSONNode.text), "inForce": answer.edited.map(JSONNode.text),
            ]),
            isError: answer.state == .failed || answer.state == .refused
        )
    }

    /// The reasons why nothing was proposed.
    static func refused(_ reasons: [String]) -> JSONNode {
        result(
            [
                "not proposed, nothing was changed:\n"
                    + reasons.map { "- \(VisibleText.block($0, limit: 2000))" }.joined(separator: "\n")
            ],
            .object(["state": .text("refused"), "reasons": .list(reasons.map(JSONNode.text))]),
            isError: true
        )
    }

    /// The proposal waits, but there is no room for a caller to wait for it.
    static func crowded(_ id: ProposalID) -> JSONNode {
        result(
            ["proposal \(id) waits for the operator, but too many calls wait already: ask proposal-status later"],
            .object(["state": .text("pending"), "proposal": .text(id.text)]),
            isError: true
        )
    }

    static func reading(
        _ tool: ReadingTool,
        _ id: ProposalID?,
        state: SupervisedState?,
        known: [(proposal: Proposal, answer: ProposalAnswer?)]
    ) -> JSONNode {
        if tool == .proposalStatus { return status(id, known) }
        guard let state else { return refused(["what is in force is not known yet: try again in a minute"]) }
        let limited = state.limited.isEmpty ? [] : ["within limits:\n" + state.limited.joined(separator: "\n")]
        switch tool {
        case .showRoutes: return result([state.policy.routes.map(\.shown).text] + limited)
        case .showAllowlist:
            let hosts = state.policy.allowlist.map(\.text).joined(separator: "\n")
            return result([hosts.isEmpty ? "# no host" : hosts] + limited)
        case .showDockerfile:
            let text = state.policy.dockerfile?.text
            return result([text ?? "# this container's image is not built from a Dockerfile here"])
        case .recentRefusals, .proposalStatus:
            let lines = state.refusals.map(\.line)
            return result([lines.isEmpty ? "nothing was refused" : lines.joined(separator: "\n")])
        }
    }

    private static func status(
        _ id: ProposalID?,
        _ known: [(proposal: Proposal, answer: ProposalAnswer?)]
    ) -> JSONNode {
        let shown = known.filter { id == nil || $0.proposal.id == id }
        let items = shown.map { proposal, answer in
            JSONNode.object([
                "proposal": .text(proposal.id.text), "tool": .text(proposal.tool.rawValue),
                "asked": .text(proposal.time.description),
                "state": .text(answer?.state.rawValue ?? ProposalAnswer.State.pending.rawValue),
                "words": (answer?.words).map(JSONNode.text),
            ])
        }
        guard !items.isEmpty else {
            return result(
                [id == nil ? "nothing waits" : "no such proposal is remembered"],
                .object(["proposals": .list([])])
            )
        }
        return result([items.map(\.line).joined(separator: "\n")], .object(["proposals": .list(items)]))
    }

    private static func result(_ texts: [String], _ structured: JSONNode? = nil, isError: Bool = false) -> JSONNode {
        .object([
            "content": .list(texts.map { .object(["type": .text("text"), "text": .text($0)]) }),
            "structuredContent": structured, "isError": .boolean(isError),
        ])
    }
}

extension [JSONNode] {
    /// A list with one item per line.
    fileprivate var text: String { isEmpty ? "[]" : "[\n  " + map(\.line).joined(separator: ",\n  ") + "\n]" }
}

extension Route {
    /// The route in the manifest's grammar, so that a proposal can contain it; shows of a credential only that it
    /// exists.
    fileprivate var shown: JSONNode {
        var methodNode = JSONNode.text("any")
        if case .only(let names) = methods { methodNode = .list(names.map(JSONNode.text)) }
        return .object([
            "host": .text(host.text), "port": port == 443 ? nil : .integer(port),
            "role": roles.isEmpty ? nil : .list(roles.map { .text($0.rawValue) }), "methods": methodNode,
            "path_allowlist": pathAllowlist.isEmpty ? nil : .list(pathAllowlist.map(JSONNode.text)),
            "auth": auth == nil ? nil : .text(WrittenRoute.keptAuth),
            "client_auth": allowsClientAuth ? .text("allow") : nil,
            "websocket": allowsWebSocket ? .boolean(true) : nil,
        ])
    }
}

extension SupervisedState.Refusal {
    fileprivate var line: String {
        let place = port.map { "\(host):\($0)" } ?? host
        let times = count > 1 ? " (\(count) times)" : ""
        return "\(last) \(sidecar): \(method) \(place)\(path) refused: \(rule), \(reason)\(times)"
    }
}
