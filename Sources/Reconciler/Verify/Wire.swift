import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A TCP connection of an attempt; keeps received bytes until they are read.
struct Wire: Sendable {
    enum Event: Sendable {
        case bytes([UInt8])
        case ended(Observation.Ending)
        /// Nothing came in time.
        case nothing
    }

    private let channel: any Channel
    private let inbox: NIOLoopBound<Inbox>

    /// Connects.
    ///
    /// - Throws: `ConnectFailure`.
    static func open(to endpoint: HostPort, within limit: TimeAmount) async throws -> Wire {
        let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connectTimeout(limit)
        // Adds the inbox before connecting: the other side may be gone by the first read.
        let begin: @Sendable (any Channel) -> EventLoopFuture<Wire> = { channel in
            channel.eventLoop.makeCompletedFuture {
                let inbox = Inbox()
                try channel.pipeline.syncOperations.addHandler(inbox)
                return Wire(channel: channel, inbox: NIOLoopBound(inbox, eventLoop: channel.eventLoop))
            }
        }
        do {
            if let address = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port) {
                return try await bootstrap.connect(to: address, channelInitializer: begin)
            }
            return try await bootstrap.connect(host: endpoint.host, port: endpoint.port, channelInitializer: begin)
        } catch {
            throw ConnectFailure(error)
        }
    }

    /// Whether it can still send bytes.
    var isOpen: Bool { channel.isActive }

    /// How the other side ended it, as far as is known.
    func ending() async -> Observation.Ending {
        (try? await channel.eventLoop.submit { [inbox] in inbox.value.ending }.get()) ?? .open
    }

    /// Sends `bytes`; false if the other side did not accept all of them in time.
    func send(_ bytes: [UInt8], within limit: TimeAmount) async -> Bool {
        let written = channel.eventLoop.makePromise(of: Void.self)
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: written)
        let inTime = channel.eventLoop.makePromise(of: Bool.self)
        let late = channel.eventLoop.scheduleTask(in: limit) { inTime.succeed(false) }
        written.futureResult.whenComplete { result in
            late.cancel()
            if case .success = result { inTime.succeed(true) } else { inTime.succeed(false) }
        }
        return (try? await inTime.futureResult.get()) ?? false
    }

    /// The next event.
    func next(within limit: TimeAmount) async -> Event {
        let event = channel.eventLoop.flatSubmit { [inbox, channel] in
            inbox.value.next(within: limit, on: channel.eventLoop)
        }
        return (try? await event.get()) ?? .ended(.closed)
    }

    /// Does a TLS handshake inside, and returns the negotiated protocol.
    ///
    /// - Throws: the TLS error, or `HandshakeSilence`.
    func secure(_ offer: TLSOffer, within limit: TimeAmount) async throws -> String? {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.trustRoots = .certificates([])
        configuration.applicationProtocols = offer.alpn
        configuration.minimumTLSVersion = .tlsv1
        configuration.maximumTLSVersion =
            switch offer.max {
            case .tls10: .tlsv1
            case .tls11: .tlsv11
            case .tls12: .tlsv12
            case .tls13, nil: .tlsv13
            }
        let context = try NIOSSLContext(configuration: configuration)
        return try await channel.eventLoop.flatSubmit { [inbox, channel] in
            let inbox = inbox.value
            let agreed = inbox.handshake(within: limit, on: channel.eventLoop)
            do {
                let handler = try NIOSSLClientHandler(context: context, serverHostname: offer.sni)
                try channel.pipeline.syncOperations.addHandler(handler, position: .before(inbox))
            } catch {
                return channel.eventLoop.makeFailedFuture(error)
            }
            return agreed
        }.get()
    }

    /// Closes the sending side.
    func finish() async {
        try? await channel.close(mode: .output).get()
    }

    func close() async {
        try? await channel.close().get()
    }
}

/// The other side sent nothing during a TLS handshake.
struct HandshakeSilence: Error {}

/// The end of a pipeline: buffers what comes, and holds the reader that waits for it.
private final class Inbox: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// The limit of unread bytes; further ones are dropped.
    private static let mostKept = 8 << 20

    private(set) var ending = Observation.Ending.open
    private var arrived: [UInt8] = []
    private var waiting: (promise: EventLoopPromise<Wire.Event>, late: Scheduled<Void>)?
    private var handshake: EventLoopPromise<String?>?

    func next(within limit: TimeAmount, on eventLoop: any EventLoop) -> EventLoopFuture<Wire.Event> {
        if !arrived.isEmpty {
            defer { arrived = [] }
            return eventLoop.makeSucceededFuture(.bytes(arrived))
        }
        guard ending == .open else { return eventLoop.makeSucceededFuture(.ended(ending)) }
        let promise = eventLoop.makePromise(of: Wire.Event.self)
        let late = eventLoop.assumeIsolated().scheduleTask(in: limit) { self.give(.nothing) }
        waiting = (promise, late)
        return promise.futureResult
    }

    func handshake(within limit: TimeAmount, on eventLoop: any EventLoop) -> EventLoopFuture<String?> {
        let promise = eventLoop.makePromise(of: String?.self)
        handshake = promise
        let late = eventLoop.assumeIsolated().scheduleTask(in: limit) { self.failHandshake(HandshakeSilence()) }
        promise.futureResult.assumeIsolated().whenComplete { _ in late.cancel() }
        if ending != .open { failHandshake(ChannelError.alreadyClosed) }
        return promise.futureResult
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if waiting != nil {
            give(.bytes(Array(bytes.readableBytesView)))
        } else if arrived.count < Self.mostKept {
            arrived += bytes.readableBytesView
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let agreed) = event as? TLSUserEvent {
            handshake?.succeed(agreed)
            handshake = nil
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError, error.errnoCode == ECONNRESET { ending = .reset }
        failHandshake(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if ending == .open { ending = .closed }
        failHandshake(ChannelError.eof)
        if arrived.isEmpty { give(.ended(ending)) }
    }

    private func give(_ event: Wire.Event) {
        guard let (promise, late) = waiting else { return }
        waiting = nil
        late.cancel()
        promise.succeed(event)
    }

    private func failHandshake(_ error: any Error) {
        handshake?.fail(error)
        handshake = nil
    }
}
