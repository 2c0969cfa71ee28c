import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix

/// Answers GET and HEAD over HTTP/1.1 on a loopback port: few connections, small heads, little time.
package struct LoopbackServer: Sendable {
    /// Limits on clients.
    package struct Limits: Sendable, Hashable {
        /// How many connections to serve at once; a few more if many arrive at the same moment.
        ///
        /// Further ones wait.
        package var connections = 16
        /// The most bytes of a request's target, field names and values together.
        package var headBytes = 8 << 10
        /// The most fields of a request.
        package var fields = 64
        /// How long a connection may stay open without sending a whole head.
        package var silence: Duration = .seconds(5)
        /// How long an answer may take, from the head to the last byte that the client accepted.
        package var answering: Duration = .seconds(15)

        package init() {}
    }

    /// What a client requested.
    package struct Request: Sendable, Hashable {
        /// The path as sent, without the query.
        package var path: String

        package init(path: String) { self.path = path }
    }

    package struct Answer: Sendable {
        package var status: Int
        package var contentType: String
        /// Additional fields: name and value.
        package var fields: [(String, String)] = []
        package var body: String

        package init(status: Int, contentType: String, body: String) {
            self.status = status
            self.contentType = contentType
            self.body = body
        }

        package static func text(_ status: Int, _ body: String) -> Answer {
            Answer(status: status, contentType: "text/plain; charset=utf-8", body: body)
        }
    }

    /// The port is not available.
    package struct CantListen: Error, Sendable, Hashable {
        /// The system's words.
        package let reason: String
    }

    private let address: LoopbackAddress
    private let limits: Limits
    private let answer: @Sendable (Request) async -> Answer

    /// - Parameter answer: answers a request that passed the checks.
    package init(
        at address: LoopbackAddress,
        limits: Limits = Limits(),
        answer: @escaping @Sendable (Request) async -> Answer
    ) {
        self.address = address
        self.limits = limits
        self.answer = answer
    }

    /// Runs `body` while serving.
    ///
    /// The first attempt to listen must succeed. If listening ends later, the server listens again on the same port.
    ///
    /// - Parameter body: receives the address on which the server listens.
    /// - Throws: `CantListen`; what `body` throws.
    package func whileServing(_ body: (LoopbackAddress) async throws -> Void) async throws {
        let (ports, port) = AsyncThrowingStream.makeStream(of: Int.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await keepServing { port.yield($0) }
                } catch {
                    port.finish(throwing: error)
                }
            }
            defer { group.cancelAll() }
            var bound: Int?
            for try await port in ports {
                bound = port
                break
            }
            guard let bound else { throw CancellationError() }
            try await body(LoopbackAddress(host: address.host, port: bound))
        }
    }

    private func keepServing(_ listening: @escaping @Sendable (Int) -> Void) async throws {
        // Ask for the first port again, so that clients don't have to look for a new one.
        let known = BoundPort(address.port)
        do {
            try await serve(on: known.value) {
                known.value = $0
                listening($0)
            }
        } catch {
            try Task.checkCancellation()
            throw CantListen(reason: "\(error)")
        }
        while true {
            try await Task.sleep(for: .seconds(1))
            do {
                try await serve(on: known.value) { _ in }
            } catch {
                // Another process may have the port for the moment.
                try Task.checkCancellation()
            }
        }
    }

    /// Serves until cancelled, or until the system closes the listening socket.
    private func serve(on port: Int, _ listening: @escaping @Sendable (Int) -> Void) async throws {
        let decoder = HTTP1Channel.Configuration.DecoderConfiguration(
            maxHeaderFieldSize: limits.headBytes,
            maxHeaderListSize: limits.headBytes,
            maxHeaderFieldCount: limits.fields
        )
        let silent = Logger(label: "serving") { _ in SwiftLogNoOpLogHandler() }
        let channel = HTTP1Channel(
            responder: { request, writer, channel in
                let overdue = channel.eventLoop.scheduleTask(in: TimeAmount(limits.answering)) {
                    channel.close(promise: nil)
                }
                defer { overdue.cancel() }
                let judge = RequestGuard(port: channel.localAddress?.port ?? address.port)
                let answer = await answer(to: request, judge)
                let endsConnection = judge.hasBody(request.head)
                let body = request.method == .head ? "" : answer.body
                try await writer.write(
                    response: Self.head(of: answer, endsConnection: endsConnection),
                    body: ResponseBody(byteBuffer: ByteBuffer(string: body))
                )
                // Otherwise the library would read an unwanted body to its end.
                if endsConnection { throw BodyRefused() }
            },
            configuration: .init(idleTimeout: TimeAmount(limits.silence), httpDecoderConfiguration: decoder)
        )
        let server = Server(
            childChannelSetup: channel,
            configuration: ServerConfiguration(
                address: .hostname(address.host.rawValue, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections, logger: silent)
            ),
            onServerRunning: { listening($0.localAddress?.port ?? port) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: silent
        )
        try await server.run()
        try Task.checkCancellation()
    }

    private func answer(to request: HummingbirdCore.Request, _ judge: RequestGuard) async -> Answer {
        if let refusal = judge.refusal(of: request.head) { return refusal }
        return await answer(Request(path: String(request.uri.path)))
    }

    private static func head(of answer: Answer, endsConnection: Bool) -> HTTPResponse {
        var fields: HTTPFields = [
            .contentType: answer.contentType,
            .contentLength: "\(answer.body.utf8.count)",
            .cacheControl: "no-store",
            .xContentTypeOptions: "nosniff",
        ]
        if endsConnection { fields[.connection] = "close" }
        for (name, value) in answer.fields {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        return HTTPResponse(status: HTTPResponse.Status(code: answer.status), headerFields: fields)
    }

    private struct BodyRefused: Error {}
}
