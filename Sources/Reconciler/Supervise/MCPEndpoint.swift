import HTTPTypes
import HummingbirdCore
import NIOCore
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals

/// The MCP endpoint (streamable HTTP): decides the answer to each request.
struct MCPEndpoint: Sendable {
    let broker: ProposalBroker
    let sessions: SessionTable
    let limits: SuperviseLimits
    let originCheck: OriginCheck
    /// The program's version.
    let version: String
    let log: EventLog

    /// The answer to a request.
    enum Outcome: Sendable {
        case reply(Reply)
        /// A call that is answered on a stream once it is decided.
        case waiting(WaitingCall)
    }

    func outcome(of request: Request) async throws -> Outcome {
        if var refusal = originCheck.refusal(of: request.head) {
            refusal.endsConnection = true
            return .reply(refusal)
        }
        switch request.method {
        case .post: return try await post(request)
        case .get: return await resume(request.headers)
        default:
            guard let id = request.headers[.sessionID], await sessions.close(id) else { return .reply(.unknownSession) }
            return .reply(Reply(status: 204, body: ""))
        }
    }

    // MARK: - GET

    /// Resumes a stream that was cut.
    ///
    /// There is no other stream to listen on, because the server never sends unasked.
    private func resume(_ fields: HTTPFields) async -> Outcome {
        guard let event = fields[.lastEventID] else {
            var reply = Reply.text(405, "there is no stream to listen on: answers come to their questions\n")
            reply.fields[.allow] = "DELETE, POST"
            return .reply(reply)
        }
        guard let id = fields[.sessionID], let agreed = await sessions.version(of: id) else {
            return .reply(.unknownSession)
        }
        let (notices, caller) = AsyncStream.makeStream(
            of: ProposalBroker.Notice.self,
            bufferingPolicy: .bufferingNewest(8)
        )
        guard let call = await sessions.resume(after: event, in: id, caller) else {
            return .reply(.text(404, "there is no stream with that event\n"))
        }
        let number = event.split(separator: "-").last.flatMap { Int($0) } ?? 0
        let first = (0...1_000_000).contains(number) ? number + 1 : 1
        return .waiting(
            WaitingCall(call, in: id, agreed, firstEvent: first, notices, caller)
        )
    }

    // MARK: - POST

    private func post(_ request: Request) async throws -> Outcome {
        let fields = request.headers
        let type = fields[.contentType]?.prefix { $0 != ";" }.lowercased() ?? ""
        guard type.filter({ $0 != " " }) == "application/json" else {
            return .reply(.text(415, "the body must be application/json\n", endsConnection: true))
        }
        guard let bytes = try await body(of: request) else {
            log.event("too-large")
            return .reply(.text(413, "a body has at most \(limits.bodyBytes) bytes\n", endsConnection: true))
        }
        let node: JSONNode
        do {
            node = try JSONReader.read(bytes)
        } catch {
            return .reply(.json(400, RPCError(.parse, "this is not JSON that can be taken: \(error.reason)").answer()))
        }
        do {
            if case .list(let items) = node { return try await batch(items, fields) }
            return try await message(RPCMessage(node), fields)
        } catch {
            return .reply(.json(400, error.answer()))
        }
    }

    /// The whole body; nil if it is larger than allowed.
    private func body(of request: Request) async throws -> [UInt8]? {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limits.bodyBytes { return nil }
        var bytes: [UInt8] = []
        for try await part in request.body {
            guard bytes.count + part.readableBytes <= limits.bodyBytes else { return nil }
            bytes += part.readableBytesView
        }
        return bytes
    }

    private func message(_ message: RPCMessage, _ fields: HTTPFields) async throws(RPCError) -> Outcome {
        if case .request(let request) = message, request.method == "initialize" { return await begin(request) }
        guard let id = fields[.sessionID] else {
            throw RPCError(.invalidRequest, "the header Mcp-Session-Id is missing: begin with `initialize`")
        }
        guard let agreed = await sessions.version(of: id) else { return .reply(.unknownSession) }
        if let named = fields[.protocolVersion], ProtocolVersion(rawValue: named) == nil {
            throw RPCError(.invalidRequest, "this version of the protocol is not known here")
        }
        switch message {
        case .response: return .reply(Reply(status: 202, body: ""))
        case .notification(let method, let parameters):
            if method == "notifications/cancelled", let request = parameters["requestId"] {
                await sessions.cancel(request, in: id)
            }
            return .reply(Reply(status: 202, body: ""))
        case .request(let request):
            do {
                return try await answer(request, in: id, agreed, accepts: fields[.accept] ?? "*/*")
            } catch {
                return .reply(.json(200, error.answer(to: request.id)))
            }
        }
    }

    private func begin(_ request: RPCRequest) async -> Outcome {
        let agreed = ProtocolVersion.agreed(on: request.parameters["protocolVersion"]?.text)
        guard let id = await sessions.open(agreed) else {
            log.event("too-many-sessions")
            return .reply(.text(503, "there are too many sessions with calls that wait\n"))
        }
        log.event("session", [("version", .text(agreed.rawValue))])
        var reply = Reply.json(
            200,
            request.result(
                .object([
                    "protocolVersion": .text(agreed.rawValue),
                    "capabilities": .object(["tools": .object([:])]),
                    "serverInfo": .object([
                        "name": .text("bottle-supervise"), "title": .text("bottle: ask the operator"),
                        "version": .text(version),
                    ]),
                    "instructions": .text(ToolCatalogue.instructions),
                ])
            )
        )
        reply.fields[.sessionID] = id
        return .reply(reply)
    }

    private func answer(
        _ request: RPCRequest,
        in id: String,
        _ agreed: ProtocolVersion,
        accepts: String
    ) async throws(RPCError) -> Outcome {
        guard request.method == "tools/call", let asked = try ToolCall(request).proposal else {
            return .reply(.json(200, request.result(try await result(of: request))))
        }
        guard accepts.contains("text/event-stream") || accepts.contains("*/*") else {
            return .reply(.text(406, "this call is answered on a text/event-stream: accept that\n"))
        }
        let submission = await broker.submit(asked.tool, argument: asked.argument, justification: asked.justification)
        switch submission {
        case .refused(let reasons):
            log.event("refused", [("tool", .text(asked.tool.rawValue))])
            return .reply(.json(200, request.result(ToolResult.refused(reasons))))
        case .decided(let answer):
            await broker.wasHeard(answer.id)
            return .reply(.json(200, request.result(ToolResult.decided(answer))))
        case .waiting(let proposal, let isNew):
            if !isNew { log.event("joined", [("id", .text(proposal.text))]) }
            let (notices, caller) = AsyncStream.makeStream(
                of: ProposalBroker.Notice.self,
                bufferingPolicy: .bufferingNewest(8)
            )
            guard let call = await sessions.begin(request, proposal, in: id, caller) else {
                return .reply(.json(200, request.result(ToolResult.crowded(proposal))))
            }
            return .waiting(
                WaitingCall(call, in: id, agreed, firstEvent: 0, notices, caller)
            )
        }
    }

    /// The result of a request that is answered at once.
    private func result(of request: RPCRequest) async throws(RPCError) -> JSONNode {
        switch request.method {
        case "ping": return .object([:])
        case "tools/list": return .object(["tools": ToolCatalogue.list])
        case "tools/call":
            let call = try ToolCall(request)
            guard let tool = call.reading else { throw RPCError(.internal, "this tool waits") }
            return ToolResult.reading(tool, call.id, state: await broker.state, known: await broker.known)
        default: throw RPCError(.methodNotFound, "there is no such method here")
        }
    }

    /// Handles several messages in one body, which the oldest clients send; answers all of them at once.
    private func batch(_ items: [JSONNode], _ fields: HTTPFields) async throws(RPCError) -> Outcome {
        guard let id = fields[.sessionID], let agreed = await sessions.version(of: id) else {
            return .reply(.unknownSession)
        }
        guard agreed.hasBatches, (1...16).contains(items.count) else {
            throw RPCError(.invalidRequest, "one message a body")
        }
        var answers: [JSONNode] = []
        for item in items {
            switch try RPCMessage(item) {
            case .response: continue
            case .notification(let method, let parameters):
                if method == "notifications/cancelled", let request = parameters["requestId"] {
                    await sessions.cancel(request, in: id)
                }
            case .request(let request):
                do throws(RPCError) {
                    if request.method == "tools/call", try ToolCall(request).proposal != nil {
                        throw RPCError(.invalidRequest, "this call waits for the operator: send it by itself")
                    }
                    answers.append(request.result(try await result(of: request)))
                } catch {
                    answers.append(error.answer(to: request.id))
                }
            }
        }
        return .reply(answers.isEmpty ? Reply(status: 202, body: "") : .json(200, .list(answers)))
    }
}

extension Reply {
    static var unknownSession: Reply {
        .json(404, RPCError(.invalidRequest, "this session is not known: begin again with `initialize`").answer())
    }
}
