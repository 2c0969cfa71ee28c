import NIOCore
import NIOHTTP1

/// Turns a connection into a raw stream on status 101.
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
