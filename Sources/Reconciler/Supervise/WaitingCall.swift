import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals

/// A call that is answered on a stream of server-sent events.
struct WaitingCall: Sendable {
    let call: SessionTable.Call
    let session: String
    let version: ProtocolVersion
    /// The number of the next event; the client has the earlier ones.
    private(set) var number: Int
    let notices: AsyncStream<ProposalBroker.Notice>
    /// Ends the notices and thereby the stream.
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

    /// The stream's first event: an id to resume with if the stream is cut before it says anything.
    mutating func opening() -> String {
        version.hasEmptyEvents ? "retry: 1000\n" + event("") : ": waiting for the operator\n\n"
    }

    /// The stream's text for a notice.
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

    /// A progress notification, if the client asked for them; else nil.
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
    /// Whether no further notice follows.
    var isFinal: Bool {
        if case .answer(let answer) = self { answer.state.isFinal } else { false }
    }
}
