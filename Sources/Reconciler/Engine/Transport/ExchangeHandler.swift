import NIOCore
import NIOHTTP1

/// Performs the exchanges of one connection in sequence.
///
/// Confined to the connection's event loop.
final class ExchangeHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = Never
    typealias OutboundOut = HTTPClientRequestPart

    private final class Exchange {
        let token: ExchangeToken
        let request: EngineRequest
        /// The most bytes of a body to collect; nil streams the body.
        let limit: Int?
        /// Set to nil once fulfilled: a future retains its value, and a retained stream is never abandoned.
        var promise: EventLoopPromise<EngineResponse>?
        var head: HTTPResponseHead?
        var collected = ByteBuffer()
        var pipe: BodyPipe?
        var isSent = false
        var chunk: EventLoopPromise<Void>?
        /// The scheduled failure of an overdue exchange.
        var deadline: Scheduled<Void>?

        init(
            token: ExchangeToken,
            request: EngineRequest,
            limit: Int?,
            promise: EventLoopPromise<EngineResponse>
        ) {
            self.token = token
            self.request = request
            self.limit = limit
            self.promise = promise
        }
    }

    private enum State {
        case idle
        case busy(Exchange)
        case closed
    }

    private var state = State.idle
    private var context: ChannelHandlerContext?
    private let becameIdle: (() -> Void)?

    /// `becameIdle` is called after each exchange that leaves the connection usable; without it the connection is
    /// closed instead.
    init(becameIdle: (() -> Void)?) {
        self.becameIdle = becameIdle
    }

    // MARK: - From the caller, on the event loop

    /// Writes a request; the future gets the answer, or an `ExchangeFailure`.
    ///
    /// Follow up with `send` and `finish` for a streamed body.
    func begin(
        _ token: ExchangeToken,
        _ request: EngineRequest,
        _ head: HTTPRequestHead,
        limit: Int?,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<EngineResponse> {
        guard case .idle = state, let context, context.channel.isActive else {
            let error = EngineError.transport("the engine closed the connection")
            return eventLoop.makeFailedFuture(ExchangeFailure(error: error, progress: .notSent))
        }
        let promise = eventLoop.makePromise(of: EngineResponse.self)
        let exchange = Exchange(token: token, request: request, limit: limit, promise: promise)
        state = .busy(exchange)
        expectAnswer(exchange)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if case .bytes(let bytes) = request.body, !bytes.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
        }
        if case .stream = request.body { context.flush() } else { writeEnd(context, token) }
        return promise.futureResult
    }

    /// Writes a part of a streamed body; the future succeeds when the socket has accepted it.
    func send(_ token: ExchangeToken, _ bytes: [UInt8], on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        guard case .busy(let exchange) = state, exchange.token === token, let context,
            (exchange.head?.status.code ?? 200) < 400
        else { return eventLoop.makeFailedFuture(UploadStopped()) }
        let chunk = eventLoop.makePromise(of: Void.self)
        exchange.chunk = chunk
        let written = eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { result in
            // An early answer may have ended the wait.
            guard case .busy(let exchange) = self.state, exchange.chunk?.futureResult == chunk.futureResult else {
                return
            }
            exchange.chunk = nil
            self.expectAnswer(exchange)
            chunk.completeWith(result)
        }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: written)
        return chunk.futureResult
    }

    /// Ends a streamed body.
    func finish(_ token: ExchangeToken) {
        guard case .busy(let exchange) = state, exchange.token === token, let context else { return }
        expectAnswer(exchange)
        writeEnd(context, token)
    }

    /// Fails an exchange by closing its connection; does nothing if it is over.
    func fail(_ token: ExchangeToken, _ error: EngineError) {
        guard case .busy(let exchange) = state, exchange.token === token else { return }
        end(error, progress: exchange.head == nil ? .unanswered : .begun)
        context?.close(promise: nil)
    }

    // MARK: - Deadlines

    /// Restarts the time limit for the answer.
    private func expectAnswer(_ exchange: Exchange) {
        guard exchange.head == nil || exchange.pipe == nil else { return }
        expect(exchange, within: exchange.request.deadlines.answer, "no answer")
    }

    /// Restarts the time limit for the next part of a streamed body.
    private func expectMore(_ exchange: Exchange) {
        let deadlines = exchange.request.deadlines
        // A refusal ends soon, however long the requested stream may be silent.
        let isRefused = !(200..<300).contains(exchange.head?.status.code ?? 200)
        expect(exchange, within: isRefused ? deadlines.answer : deadlines.idle, "no more of the answer")
    }

    private func expect(_ exchange: Exchange, within time: TimeAmount?, _ problem: String) {
        exchange.deadline?.cancel()
        exchange.deadline = nil
        guard let time, let context else { return }
        exchange.deadline = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            guard case .busy(let current) = self.state, current === exchange else { return }
            // The engine waited for us, not we for it.
            if let pipe = exchange.pipe, pipe.hasPausedSinceLastCheck() {
                return self.expect(exchange, within: time, problem)
            }
            let request = exchange.request
            let error = EngineError.transport("\(problem) within \(time.words) to \(request.method) \(request.path)")
            self.end(error, progress: .overdue)
            self.context?.close(promise: nil)
        }
    }

    private func writeEnd(_ context: ChannelHandlerContext, _ token: ExchangeToken) {
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenSuccess {
            guard case .busy(let exchange) = self.state, exchange.token === token else { return }
            exchange.isSent = true
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
    }

    // MARK: - From the connection

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func read(context: ChannelHandlerContext) {
        if case .busy(let exchange) = state, let pipe = exchange.pipe, !pipe.admitsRead() { return }
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .busy(let exchange) = state else {
            // Unsolicited bytes: they can't answer the next request.
            state = .closed
            context.close(promise: nil)
            return
        }
        switch unwrapInboundIn(data) {
        case .head(let head):
            exchange.head = head
            let chunk = exchange.chunk
            if head.status.code >= 400 { exchange.chunk = nil }
            if exchange.limit == nil { exchange.pipe = makePipe(context, exchange.token) }
            if head.status.code >= 400 { chunk?.fail(UploadStopped()) }
            if let pipe = exchange.pipe {
                exchange.promise?.succeed(EngineResponse(head: head, body: .stream(pipe.open())))
                exchange.promise = nil
                expectMore(exchange)
            }
        case .body(let bytes):
            if let pipe = exchange.pipe {
                pipe.yield(bytes)
                expectMore(exchange)
            } else if let limit = exchange.limit, exchange.collected.readableBytes + bytes.readableBytes > limit {
                fail(exchange.token, .limitExceeded("the engine's answer is larger than \(limit) bytes"))
            } else {
                exchange.collected.writeImmutableBuffer(bytes)
            }
        case .end:
            complete(context, exchange)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let isReset = error is IOError
        if case .busy(let exchange) = state {
            let progress = isReset && exchange.head == nil ? ExchangeFailure.Progress.unanswered : .begun
            end(Self.describe(error), progress: progress)
        }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .busy(let exchange) = state {
            let isBegun = exchange.head != nil
            end(
                .transport("the engine closed the connection \(isBegun ? "in the middle of" : "before") its answer"),
                progress: isBegun ? .begun : .unanswered
            )
        }
        state = .closed
        context.fireChannelInactive()
    }

    private func makePipe(_ context: ChannelHandlerContext, _ token: ExchangeToken) -> BodyPipe {
        BodyPipe(
            on: context.eventLoop,
            read: { self.context?.read() },
            abandoned: { self.fail(token, .cancelled) }
        )
    }

    private func complete(_ context: ChannelHandlerContext, _ exchange: Exchange) {
        guard let head = exchange.head else { return }
        exchange.deadline?.cancel()
        let isReusable = head.isKeepAlive && exchange.isSent && becameIdle != nil
        state = isReusable ? .idle : .closed
        exchange.chunk?.fail(UploadStopped())
        if isReusable { becameIdle?() } else { context.close(promise: nil) }
        if let pipe = exchange.pipe {
            pipe.finish()
        } else {
            let body = EngineResponse.Body.whole(Array(exchange.collected.readableBytesView))
            exchange.promise?.succeed(EngineResponse(head: head, body: body))
        }
    }

    /// Fails the waiting exchange; the caller closes the connection.
    private func end(_ error: EngineError, progress: ExchangeFailure.Progress) {
        guard case .busy(let exchange) = state else { return }
        state = .closed
        exchange.deadline?.cancel()
        exchange.pipe?.finish(error)
        exchange.chunk?.fail(UploadStopped())
        exchange.promise?.fail(ExchangeFailure(error: error, progress: progress))
    }

    private static func describe(_ error: any Error) -> EngineError {
        switch error {
        case HTTPParserError.invalidEOFState:
            .transport("the engine closed the connection in the middle of its answer")
        case let error as HTTPParserError:
            .transport("the engine's answer is not HTTP (\(error))")
        case let error as IOError:
            .transport("the connection to the engine broke: \(error.description)")
        default:
            .transport(String(describing: error))
        }
    }
}

extension ExchangeHandler {
    /// Turns the connection into a raw stream after the engine agreed, and answers the caller.
    func hijack(_ context: ChannelHandlerContext, _ head: HTTPResponseHead) -> RawStreamHandler {
        let handler = RawStreamHandler()
        guard case .busy(let exchange) = state else { return handler }
        state = .closed
        exchange.deadline?.cancel()
        let body = handler.open(on: context.eventLoop)
        exchange.promise?.succeed(EngineResponse(head: head, body: .hijacked(body)))
        return handler
    }
}

/// The engine answered before it had the whole request, or the connection ended; the answer tells the reason.
struct UploadStopped: Error {}
