import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals

/// A call whose answer comes on a stream of server-sent events.
struct WaitingCall: Sendable {
    let call: SessionTable.Call
    let session: String
    let version: ProtocolVersion
    /// The number of the next event; what came before, the client has.
    private(set) var number: Int
    let notices: AsyncStream<ProposalBroker.Notice>
    /// Ends the notices, and so the stream.
    let caller: AsyncStream<ProposalBroker.Notice>.Continuation

    init(
        _ call: SessionTable.Call,
        in session: String,
        _ version: ProtocolVersion,
        firstEvent: Int,
        _ notices: AsyncStream<ProposalBroker.Notice>,
        _ caller: AsyncStream<ProposalBroker.Notice>.Continuation
    ) {
        self.call = call
        self.session = session
        self.version = version
        number = firstEvent
        self.notices = notices
        self.caller = caller
    }

    /// What the stream begins with: an id to come back with, if it is cut before anything is said.
    mutating func opening() -> String {
        version.hasEmptyEvents ? "retry: 1000\n" + event("") : ": waiting for the operator\n\n"
    }

    /// What a notice makes the stream say.
    mutating func text(for notice: ProposalBroker.Notice) -> String {
        switch notice {
        case .answer(let answer) where answer.state.isFinal:
            event(call.request.result(ToolResult.decided(answer)).line)
        case .answer(let answer): progress(answer.state) ?? ": \(answer.state)\n\n"
        case .pulse: progress(nil) ?? ": waiting\n\n"
        }
    }

    private mutating func event(_ data: String) -> String {
        defer { number += 1 }
        return "id: \(call.key)-\(number)\ndata: \(data)\n\n"
    }

    /// A sign of life that the client asked for; nil when it did not.
    private mutating func progress(_ state: ProposalAnswer.State?) -> String? {
        guard let token = call.request.parameters["_meta"]?["progressToken"], (try? RPCMessage.id(token)) != nil else {
            return nil
        }
        let message =
            switch state {
            case .approved: "approved: the change is coming into force"
            default: "proposal \(call.proposal) waits for the operator"
            }
        let notification = JSONNode.object([
            "jsonrpc": .text("2.0"), "method": .text("notifications/progress"),
            "params": .object([
                "progressToken": token, "progress": .integer(number + 1), "message": .text(message),
            ]),
        ])
        return event(notification.line)
    }
}

extension ProposalBroker.Notice {
    /// Whether nothing will follow.
    var isFinal: Bool {
        if case .answer(let answer) = self { answer.state.isFinal } else { false }
    }
}
