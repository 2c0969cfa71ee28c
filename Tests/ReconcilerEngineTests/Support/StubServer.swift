import FoundationEssentials
import NIOCore
import NIOPosix
import ReconcilerEngine
import Synchronization

/// A server on a real socket that answers as a test's script says, byte by byte.
final class StubServer: Sendable {
    let address: EngineAddress
    private let counts = Mutex((opened: 0, closed: 0))

    private init(address: EngineAddress) {
        self.address = address
    }

    /// How many connections came.
    var opened: Int { counts.withLock { $0.opened } }
    /// How many of them are over.
    var closed: Int { counts.withLock { $0.closed } }

    /// Runs `body` beside a server that runs `script` for each connection, and closes a connection when its script ends.
    static func run(
        tcp: Bool = false,
        script: @escaping @Sendable (StubConnection) async throws -> Void,
        _ body: (StubServer) async throws -> Void
    ) async throws {
        let path = "/tmp/engtest-\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).sock"
        defer { if !tcp { try? FileManager.default.removeItem(atPath: path) } }
        let (connections, arrivals) = AsyncStream.makeStream(of: StubConnection.self)
        let numbers = Counter()
        let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    numbers.add()
                    _ = try StubConnection(number: numbers.value, channel: channel) { arrivals.yield($0) }
                }
            }
        let listener =
            if tcp {
                try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
            } else {
                try await bootstrap.bind(unixDomainSocketPath: path).get()
            }
        let port = listener.localAddress?.port ?? 0
        let server = StubServer(address: tcp ? .tcp(host: "127.0.0.1", port: port) : .unix(path))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await withDiscardingTaskGroup { group in
                    for await connection in connections {
                        server.counts.withLock { $0.opened += 1 }
                        group.addTask {
                            // A script ends with an error when its client hangs up, which some tests are about.
                            try? await script(connection)
                            await connection.close()
                            server.counts.withLock { $0.closed += 1 }
                        }
                    }
                    group.cancelAll()
                }
            }
            defer {
                listener.close(promise: nil)
                group.cancelAll()
            }
            try await body(server)
        }
    }

    /// A script that answers a ping, and then each request with what `answer` makes of it.
    static func answering(
        version: String = "1.41",
        _ answer: @escaping @Sendable (StubRequest) -> String
    ) -> @Sendable (StubConnection) async throws -> Void {
        { connection in
            while let request = try await connection.request() {
                try await connection.write(request.isPing ? StubServer.pong(version) : answer(request))
            }
        }
    }

    static func pong(_ version: String = "1.41") -> String {
        "HTTP/1.1 200 OK\r\nApi-Version: \(version)\r\nOstype: linux\r\nContent-Length: 2\r\n\r\nOK"
    }

    /// A whole answer.
    static func answer(_ status: Int, _ body: String = "", _ headers: String = "") -> String {
        "HTTP/1.1 \(status) Status\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}

/// A request as it stood on the wire.
struct StubRequest: Sendable {
    var head: String
    var body: [UInt8]

    var line: String { String(head.prefix { $0 != "\r\n" }) }
    var isPing: Bool { line == "GET /_ping HTTP/1.1" }
}

/// The server's end of one connection; reads from its socket only when the script asks.
actor StubConnection {
    /// Which connection of the server it is, from 1.
    nonisolated let number: Int
    private let channel: any Channel
    private let handler: NIOLoopBound<Handler>
    private var pending: [UInt8] = []

    /// A connection that tells `opened` of itself once it can be read.
    init(number: Int, channel: any Channel, opened: @escaping (StubConnection) -> Void) throws {
        self.number = number
        self.channel = channel
        let handler = Handler()
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        handler.opened = { opened(self) }
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    /// Some bytes, nil when the client is gone.
    func bytes() async throws -> [UInt8]? {
        if !pending.isEmpty {
            defer { pending = [] }
            return pending
        }
        let bytes = try await withTaskCancellationHandler {
            try await channel.eventLoop.flatSubmit { [handler] in handler.value.next() }.get()
        } onCancel: {
            channel.close(promise: nil)
        }
        return bytes.map { Array($0.readableBytesView) }
    }

    func close() async {
        try? await channel.close().get()
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        var opened: (() -> Void)?
        private var context: ChannelHandlerContext?
        private var waiting: EventLoopPromise<ByteBuffer?>?
        private var isOver = false
        private var arrived: [ByteBuffer] = []

        func next() -> EventLoopFuture<ByteBuffer?> {
            guard let context else { preconditionFailure("not in a pipeline") }
            let promise = context.eventLoop.makePromise(of: ByteBuffer?.self)
            if !arrived.isEmpty {
                promise.succeed(arrived.removeFirst())
            } else if isOver {
                promise.succeed(nil)
            } else {
                waiting = promise
                context.read()
            }
            return promise.futureResult
        }

        func handlerAdded(context: ChannelHandlerContext) {
            self.context = context
        }

        func channelActive(context: ChannelHandlerContext) {
            opened?()
            opened = nil
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            if let waiting {
                self.waiting = nil
                waiting.succeed(bytes)
            } else {
                arrived.append(bytes)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            isOver = true
            waiting?.succeed(nil)
            waiting = nil
        }
    }

    /// The next request's head, without its body.
    func head() async throws -> String? {
        var seen: [UInt8] = []
        while let more = try await bytes() {
            seen += more
            if let end = seen.firstRange(of: Array("\r\n\r\n".utf8)) {
                pending = Array(seen[end.upperBound...])
                return String(decoding: seen[..<end.lowerBound], as: UTF8.self)
            }
        }
        return nil
    }

    /// The next request with a body of a known length.
    func request() async throws -> StubRequest? {
        guard let head = try await head() else { return nil }
        let lines = head.split(separator: "\r\n")
        let length =
            lines.first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).filter(\.isNumber)) } ?? 0
        var body: [UInt8] = []
        while body.count < length, let more = try await bytes() { body += more }
        pending = Array(body.dropFirst(length))
        return StubRequest(head: head, body: Array(body.prefix(length)))
    }

    func write(_ text: String) async throws {
        try await write(Array(text.utf8))
    }

    func write(_ bytes: [UInt8]) async throws {
        try await withTaskCancellationHandler {
            try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }
}

/// A count that scripts and tests share.
final class Counter: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func add(_ amount: Int = 1) {
        count.withLock { $0 += amount }
    }
}

/// Texts that scripts and tests share, in their order.
final class Recorder: Sendable {
    private let texts = Mutex<[String]>([])

    var all: [String] { texts.withLock { $0 } }

    func add(_ text: String) {
        texts.withLock { $0.append(text) }
    }
}

/// Waits until `condition` holds; false when it did not within a minute.
func eventually(_ condition: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(60)
    while !condition() {
        if ContinuousClock.now > end { return false }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return true
}
