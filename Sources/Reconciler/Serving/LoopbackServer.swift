import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix

/// Answers GET and HEAD over HTTP/1.1 on a port of loopback: few connections, small heads, little time.
package struct LoopbackServer: Sendable {
    /// What bounds those who connect.
    package struct Limits: Sendable, Hashable {
        /// How many connections are served at once, or a few more when many come at the same moment; further ones wait.
        package var connections = 16
        /// The most bytes of a request's target, field names and values together.
        package var headBytes = 8 << 10
        /// The most fields of a request.
        package var fields = 64
        /// How long a connection may be there without a whole head having come.
        package var silence: Duration = .seconds(5)
        /// How long an answer may take, from the head to the last byte that the client took.
        package var answering: Duration = .seconds(15)

        package init() {}
    }

    /// What was asked for.
    package struct Request: Sendable, Hashable {
        /// Without the query, as it was sent.
        package var path: String

        package init(path: String) { self.path = path }
    }

    package struct Answer: Sendable {
        package var status: Int
        package var contentType: String
        /// Further fields: name and value.
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

    /// The port can't be had.
    package struct CantListen: Error, Sendable, Hashable {
        /// The system's words.
        package let reason: String
    }

    private let address: LoopbackAddress
    private let limits: Limits
    private let answer: @Sendable (Request) async -> Answer

    /// - Parameter answer: what is answered to a request that nothing is wrong with.
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
    /// The first attempt to listen must succeed; when listening ends later, it is taken up again on the same port.
    ///
    /// - Parameter body: gets the address that is listened on.
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
        // A port that was free once is asked for again, so that nobody has to look for it.
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
                // Somebody else may have the port for the moment.
                try Task.checkCancellation()
            }
        }
    }

    /// Serves until cancelled, or until the system takes the listening socket away.
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
                // Otherwise the body that nobody asked for would be read to its end.
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
