import NIOCore
import NIOHTTP1
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A connection to the engine, which carries one exchange at a time.
struct EngineConnection: Sendable {
    let channel: any Channel
    private let handler: NIOLoopBound<ExchangeHandler>

    /// Opens a connection; calls `becameIdle` whenever it can carry another exchange.
    ///
    /// With `hijacks`, its first request asks for a raw stream.
    static func open(
        to address: EngineAddress,
        timeout: TimeAmount,
        hijacks: Bool = false,
        becameIdle: (@Sendable (EngineConnection) -> Void)? = nil
    ) async throws(EngineError) -> EngineConnection {
        let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try install(on: channel, hijacks, becameIdle) }
            }
        do {
            let channel = try await connect(bootstrap, to: address, timeout: timeout)
            return try await channel.eventLoop.submit {
                let handler = try channel.pipeline.syncOperations.handler(type: ExchangeHandler.self)
                return EngineConnection(channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
            }.get()
        } catch is CancellationError {
            throw EngineError.cancelled
        } catch {
            throw EngineError.transport("can't connect to \(address): \(reason(error))")
        }
    }

    /// Connects; retries while a Unix socket's backlog is full, which Linux reports as EAGAIN.
    private static func connect(
        _ bootstrap: ClientBootstrap,
        to address: EngineAddress,
        timeout: TimeAmount
    ) async throws -> any Channel {
        let end = ContinuousClock.now + .nanoseconds(timeout.nanoseconds)
        while true {
            do {
                return
                    switch address
                {
                case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
                case .tcp(let host, let port): try await bootstrap.connect(host: host, port: port).get()
                }
            } catch let error as IOError where error.errnoCode == EAGAIN && ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    private static func install(
        on channel: any Channel,
        _ hijacks: Bool,
        _ becameIdle: (@Sendable (EngineConnection) -> Void)?
    ) throws {
        let encoder = HTTPRequestEncoder()
        let decoder = ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes))
        let box = NIOLoopBoundBox<EngineConnection?>(nil, eventLoop: channel.eventLoop)
        let told: (() -> Void)? = becameIdle.map { becameIdle in
            { if let connection = box.value { becameIdle(connection) } }
        }
        let exchange = ExchangeHandler(becameIdle: told)
        box.value = EngineConnection(
            channel: channel,
            handler: NIOLoopBound(exchange, eventLoop: channel.eventLoop)
        )
        channel.closeFuture.whenComplete { _ in box.value = nil }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandlers([encoder, decoder])
        if hijacks {
            let upgrade = NIOHTTPClientUpgradeHandler(
                upgraders: [HijackUpgrader(exchange: exchange)],
                httpHandlers: [encoder, decoder],
                upgradeCompletionHandler: { _ in }
            )
            try pipeline.addHandler(upgrade)
        }
        try pipeline.addHandler(exchange)
    }

    /// Sends a request and returns the answer; cancellation closes the connection.
    ///
    /// Collects up to `limit` bytes of the answer's body; nil streams it. Reads a streamed request body no faster than
    /// the engine accepts it, and stops once the engine has refused.
    func exchange(
        _ request: EngineRequest,
        host: String,
        limit: Int?
    ) async throws(ExchangeFailure) -> EngineResponse {
        let token = ExchangeToken()
        let head = request.head(host: host)
        let eventLoop = channel.eventLoop
        let result: Result<EngineResponse, any Error> = await withTaskCancellationHandler {
            let answer = eventLoop.flatSubmit { [handler] in
                handler.value.begin(
                    token,
                    request,
                    head,
                    limit: limit,
                    on: eventLoop
                )
            }
            do {
                if case .stream(let body) = request.body {
                    try await upload(body, token)
                }
                return .success(try await answer.get())
            } catch {
                return .failure(error)
            }
        } onCancel: {
            fail(token, .cancelled)
        }
        switch result {
        case .success(let response): return response
        case .failure(let failure as ExchangeFailure): throw failure
        case .failure(let error): throw ExchangeFailure(error: EngineError(error), progress: .begun)
        }
    }

    /// Writes to a raw stream; returns when the socket has accepted the bytes.
    func write(_ bytes: [UInt8]) async throws(EngineError) {
        do {
            try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
        } catch {
            throw .transport("the stream to the engine broke: \(error)")
        }
    }

    /// Closes the sending side of a raw stream; it still receives.
    func closeOutput() async throws(EngineError) {
        do {
            try await channel.close(mode: .output).get()
        } catch {
            throw .transport("the stream to the engine broke: \(error)")
        }
    }

    func close() {
        channel.close(promise: nil)
    }

    private func fail(_ token: ExchangeToken, _ error: EngineError) {
        channel.eventLoop.execute { [handler] in handler.value.fail(token, error) }
    }

    private func upload(_ body: EngineStream<[UInt8]>, _ token: ExchangeToken) async throws {
        let eventLoop = channel.eventLoop
        var chunks = body.makeAsyncIterator()
        do {
            while let chunk = try await chunks.next() {
                guard !chunk.isEmpty else { continue }
                try await eventLoop.flatSubmit { [handler] in
                    handler.value.send(token, chunk, on: eventLoop)
                }.get()
            }
            eventLoop.execute { [handler] in handler.value.finish(token) }
        } catch let error as EngineError {
            // The producer of the body failed: half a request must not look complete.
            fail(token, error)
            throw error
        } catch {
            // The engine stopped reading it: its answer, or how the connection ended, is the reason.
        }
    }

    private static func reason(_ error: any Error) -> String {
        var error = error
        if let failure = error as? NIOConnectionError {
            error = failure.connectionErrors.first?.error ?? failure.dnsAError ?? failure.dnsAAAAError ?? error
        }
        switch error {
        case let error as IOError:
            return switch error.errnoCode {
            case ENOENT: "there is no such socket"
            case EACCES, EPERM: "permission denied"
            case ECONNREFUSED: "nothing listens there"
            default: error.description
            }
        case ChannelError.connectTimeout(let amount):
            return "no answer within \(amount.nanoseconds / 1_000_000) ms"
        default:
            return String(describing: error)
        }
    }
}
