import NIOCore
import NIOPosix

/// What the container's own resolver says of a name.
enum NameLookup {
    enum Result: Sendable {
        case found(String)
        case none
        case silence
    }

    /// The first address; the look-up itself can't be ended, and goes on unheard when it takes too long.
    static func address(of name: String, within limit: TimeAmount) async -> Result {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = eventLoop.makePromise(of: Result.self)
        let late = eventLoop.scheduleTask(in: limit) { promise.succeed(.silence) }
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
            try SocketAddress.makeAddressResolvingHost(name, port: 0).ipAddress ?? ""
        }.whenComplete { result in
            late.cancel()
            if case .success(let address) = result { promise.succeed(.found(address)) } else { promise.succeed(.none) }
        }
        return (try? await promise.futureResult.get()) ?? .none
    }
}
