import NIOCore
import NIOHTTP1

/// What flows on a connection after its upgrade: bytes in both directions.
///
/// Lives on the connection's event loop.
final class RawStreamHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?
    private var pipe: BodyPipe?

    func open(on eventLoop: any EventLoop) -> EngineStream<[UInt8]> {
        let pipe = BodyPipe(
            on: eventLoop,
            read: { self.context?.read() },
            abandoned: { self.context?.close(promise: nil) }
        )
        self.pipe = pipe
        return pipe.open()
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func read(context: ChannelHandlerContext) {
        if pipe?.admitsRead() ?? true { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        pipe?.yield(unwrapInboundIn(data))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        pipe?.finish(.transport("the stream from the engine broke: \(error)"))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        pipe?.finish()
        context.fireChannelInactive()
    }
}

/// Turns a connection into a raw stream when the engine answers 101.
final class HijackUpgrader: NIOHTTPClientProtocolUpgrader {
    let supportedProtocol = "tcp"
    let requiredUpgradeHeaders: [String] = []
    private let exchange: ExchangeHandler

    init(exchange: ExchangeHandler) {
        self.exchange = exchange
    }

    func addCustom(upgradeRequestHeaders: inout HTTPHeaders) {}

    func shouldAllowUpgrade(upgradeResponse: HTTPResponseHead) -> Bool { true }

    func upgrade(context: ChannelHandlerContext, upgradeResponse: HTTPResponseHead) -> EventLoopFuture<Void> {
        let handler = exchange.hijack(context, upgradeResponse)
        do {
            let pipeline = context.pipeline.syncOperations
            try pipeline.addHandler(handler)
            pipeline.removeHandler(exchange, promise: nil)
            return context.eventLoop.makeSucceededVoidFuture()
        } catch {
            return context.eventLoop.makeFailedFuture(error)
        }
    }
}
