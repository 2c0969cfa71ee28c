import NIOCore
import NIOPosix

/// Sends one datagram and receives the reply.
enum Datagram {
    /// Sends from a fresh port; `ended` if the network reports that the port is closed.
    static func exchange(_ bytes: [UInt8], with endpoint: HostPort, within limit: TimeAmount) async -> Wire.Event {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let answer = eventLoop.makePromise(of: Wire.Event.self)
        let late = eventLoop.scheduleTask(in: limit) { answer.succeed(.nothing) }
        defer { late.cancel() }
        do {
            let channel = try await DatagramBootstrap(group: eventLoop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(DatagramInbox(answer: answer))
                    }
                }
                .connect(host: endpoint.host, port: endpoint.port).get()
            let sent = channel.eventLoop.makePromise(of: Void.self)
            sent.futureResult.whenFailure { _ in answer.succeed(.ended(.unreachable)) }
            channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: sent)
            let event = try await answer.futureResult.get()
            try await channel.close().get()
            return event
        } catch {
            answer.succeed(.ended(.unreachable))
            return .ended(.unreachable)
        }
    }
}

private final class DatagramInbox: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let answer: EventLoopPromise<Wire.Event>

    init(answer: EventLoopPromise<Wire.Event>) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        answer.succeed(.bytes(Array(unwrapInboundIn(data).data.readableBytesView)))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.succeed(.ended(.refused))
    }
}
