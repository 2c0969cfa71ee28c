import NIOCore
import NIOHTTP1

/// Handles a connection after its upgrade: bytes in both directions.
///
/// Confined to the connection's event loop.
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
