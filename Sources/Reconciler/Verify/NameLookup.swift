import NIOCore
import NIOPosix

/// Asks the container's own resolver.
enum NameLookup {
    enum Result: Sendable {
        case found(String)
        case none
        case silence
    }

    /// The first address.
    ///
    /// A look-up can't be cancelled: one that takes too long goes on, and its result is dropped.
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
