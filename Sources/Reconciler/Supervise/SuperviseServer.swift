import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ReconcilerModel
import ReconcilerPlatform
package import ReconcilerProposals
package import ReconcilerTime

/// The MCP server of a bottle's supervise sidecar (SPEC 4.4).
package struct SuperviseServer: Sendable {
    /// The server can't listen on the address or can't read the queue.
    package struct CantServe: Error, Sendable, CustomStringConvertible {
        /// The system's words.
        package let reason: String

        package var description: String { reason }
    }

    private let host: String
    private let port: Int
    private let limits: SuperviseLimits
    private let version: String
    private let time: TimeSource
    private let log: EventLog
    private let broker: ProposalBroker

    /// - Parameters:
    ///   - host: an address of this machine.
    ///   - port: 0 for any free port.
    ///   - version: the program's version.
    /// - Throws: `CantServe` if the queue can't be read.
    package init(
        host: String,
        port: Int,
        queue: SidecarQueue,
        limits: SuperviseLimits = SuperviseLimits(),
        version: String,
        time: TimeSource,
        log: EventLog
    ) throws(CantServe) {
        self.host = host
        self.port = port
        self.limits = limits
        self.time = time
        self.version = version
        self.log = log
        do {
            broker = try ProposalBroker(queue: queue, limits: limits, time: time, log: log)
        } catch {
            throw CantServe(reason: "\(error)")
        }
    }

    /// Serves until cancelled.
    ///
    /// - Parameter listening: receives the port once the server listens.
    /// - Throws: `CantServe`, `CancellationError`.
    package func run(_ listening: @escaping @Sendable (Int) throws -> Void) async throws {
        // The first call, too, must be checked against what is in force.
        await broker.look()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    try await time.sleep(for: limits.look)
                    await broker.look()
                }
            }
            group.addTask {
                while true {
                    try await time.sleep(for: limits.pulse)
                    await broker.pulse()
                }
            }
            group.addTask { try await serve(listening) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func serve(_ listening: @escaping @Sendable (Int) throws -> Void) async throws {
        let decoder = HTTP1Channel.Configuration.DecoderConfiguration(
            maxHeaderFieldSize: limits.headBytes,
            maxHeaderListSize: limits.headBytes,
            maxHeaderFieldCount: limits.fields
        )
        let silent = Logger(label: "supervise") { _ in SwiftLogNoOpLogHandler() }
        let sessions = SessionTable(limits: limits)
        let channel = HTTP1Channel(
            responder: { request, writer, channel in
                let endpoint = MCPEndpoint(
                    broker: broker,
                    sessions: sessions,
                    limits: limits,
                    originCheck: OriginCheck(host: host, port: channel.localAddress?.port ?? port),
                    version: version,
                    log: log
                )
                try await respond(to: request, with: endpoint, writer, channel)
            },
            configuration: .init(
                additionalChannelHandlers: [HangUpHandler()],
                idleTimeout: TimeAmount(limits.silence),
                httpDecoderConfiguration: decoder
            )
        )
        let server = Server(
            childChannelSetup: channel,
            configuration: ServerConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections, logger: silent)
            ),
            onServerRunning: { channel in
                do {
                    try listening(channel.localAddress?.port ?? port)
                } catch {
                    log.event("unready", [("cause", .text("\(error)"))])
                    channel.close(promise: nil)
                }
            },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: silent
        )
        do {
            try await server.run()
        } catch {
            try Task.checkCancellation()
            throw CantServe(reason: "\(error)")
        }
        try Task.checkCancellation()
        throw CantServe(reason: "the listening socket was taken away")
    }

    @concurrent
    private func respond(
        to request: Request,
        with endpoint: MCPEndpoint,
        _ writer: consuming ResponseWriter,
        _ channel: any Channel
    ) async throws {
        let overdue = channel.eventLoop.scheduleTask(in: TimeAmount(limits.exchange)) { channel.close(promise: nil) }
        defer { overdue.cancel() }
        switch try await endpoint.outcome(of: request) {
        case .reply(let reply):
            try await writer.write(
                response: reply.head,
                body: ResponseBody(byteBuffer: ByteBuffer(string: reply.body))
            )
            // Otherwise the library would read an unwanted body to its end.
            if reply.endsConnection { throw Ended() }
        case .waiting(let call):
            overdue.cancel()
            try await stream(call, endpoint.sessions, writer, channel)
        }
    }

    @concurrent
    private func stream(
        _ waiting: WaitingCall,
        _ sessions: SessionTable,
        _ writer: consuming ResponseWriter,
        _ channel: any Channel
    ) async throws {
        let waiter = await broker.join(waiting.call.proposal, waiting.caller)
        channel.closeFuture.whenComplete { _ in waiting.caller.finish() }
        var wasAnswered = false
        do {
            var body = try await writer.writeHead(
                HTTPResponse(
                    status: .ok,
                    headerFields: [
                        .contentType: "text/event-stream", .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
                    ]
                )
            )
            var waiting = waiting
            try await write(waiting.opening(), to: &body, channel)
            for await notice in waiting.notices {
                try await write(waiting.text(for: notice), to: &body, channel)
                if notice.isFinal { wasAnswered = true }
            }
            try await body.finish(nil)
        } catch {
            await leave(waiting, waiter, sessions, wasAnswered: false)
            throw error
        }
        await leave(waiting, waiter, sessions, wasAnswered: wasAnswered)
    }

    @concurrent
    private func write(
        _ text: String,
        to body: inout some ResponseBodyWriter,
        _ channel: any Channel
    ) async throws {
        // A client that doesn't read is gone.
        let overdue = channel.eventLoop.scheduleTask(in: TimeAmount(limits.exchange)) { channel.close(promise: nil) }
        defer { overdue.cancel() }
        try await body.write(ByteBuffer(string: text))
    }

    private func leave(
        _ waiting: WaitingCall,
        _ waiter: Int,
        _ sessions: SessionTable,
        wasAnswered: Bool
    ) async {
        await broker.leave(waiting.call.proposal, waiter)
        if wasAnswered { await broker.wasHeard(waiting.call.proposal) }
        await sessions.end(waiting.call, in: waiting.session, wasAnswered: wasAnswered)
    }

    private struct Ended: Error {}
}

/// Closes a connection when its client half-closes it: such a client has gone away.
private final class HangUpHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Never

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
