import NIOCore
import NIOPosix

/// A connection on which a test says what it likes, byte by byte.
struct RawClient {
    private let channel: any Channel
    /// Ends when the server has hung up.
    private let pieces: AsyncStream<String>
    private var seen = ""

    /// Runs `body` on a connection to a port of loopback, and closes it.
    static func connected<Value: Sendable>(
        to port: Int,
        _ body: (inout RawClient) async throws -> Value
    ) async throws -> Value {
        let (pieces, piece) = AsyncStream.makeStream(of: String.self)
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Listener(piece: piece))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        defer { channel.close(promise: nil) }
        var client = RawClient(channel: channel, pieces: pieces)
        return try await body(&client)
    }

    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text)).get()
    }

    /// Everything that comes until the server hangs up.
    mutating func rest() async -> String {
        for await more in pieces { seen += more }
        defer { seen = "" }
        return seen
    }

    /// One answer of a known length; whatever came when the server hung up before.
    mutating func answer() async throws -> String {
        while true {
            if let whole = firstAnswer() { return whole }
            var hasMore = false
            for await more in pieces {
                seen += more
                hasMore = true
                break
            }
            if !hasMore { return await rest() }
        }
    }

    private mutating func firstAnswer() -> String? {
        guard let end = seen.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = seen[..<end.lowerBound].split(separator: "\r\n").map { $0.lowercased() }
        let length = lines.first { $0.hasPrefix("content-length:") }.flatMap { Int($0.filter(\.isNumber)) } ?? 0
        let body = seen[end.upperBound...]
        guard body.utf8.count >= length else { return nil }
        let behind = body.utf8.index(body.startIndex, offsetBy: length)
        defer { seen = String(seen[behind...]) }
        return String(seen[..<behind])
    }

    private final class Listener: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let piece: AsyncStream<String>.Continuation

        init(piece: AsyncStream<String>.Continuation) { self.piece = piece }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            piece.yield(String(buffer: unwrapInboundIn(data)))
        }

        func channelInactive(context: ChannelHandlerContext) { piece.finish() }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            // A server that hangs up on what it won't read may reset the connection.
            context.close(promise: nil)
        }
    }
}

extension String {
    /// The status of an answer; nil when it is none.
    var status: Int? {
        let words = prefix { $0 != "\r\n" }.split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1.1") else { return nil }
        return Int(words[1])
    }

    /// The part of an answer behind its head.
    var body: String {
        firstRange(of: "\r\n\r\n").map { String(self[$0.upperBound...]) } ?? ""
    }
}
