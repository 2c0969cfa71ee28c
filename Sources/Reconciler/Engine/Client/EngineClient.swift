import NIOCore
import NIOHTTP1

/// A client of a Docker engine's HTTP API.
///
/// Short calls share a few pooled connections; each stream has its own. Any number of calls can run concurrently.
/// Cancelling a call closes its connection.
package final class EngineClient: EngineWriting {
    /// One finished call, for observers.
    package struct Call: Sendable, Hashable {
        /// The request's method.
        package let method: String
        /// The request's path and query, as sent.
        package let target: String
        /// The HTTP status; nil if no answer came.
        package let status: Int?
        /// From the call to its answer; for a stream, to the answer's head.
        package let duration: Duration

        package init(method: String, target: String, status: Int?, duration: Duration) {
            self.method = method
            self.target = target
            self.status = status
            self.duration = duration
        }
    }

    /// Where the engine is.
    package let address: EngineAddress
    /// The API version agreed on with the engine.
    package let apiVersion: APIVersion

    /// The most bytes of an answer to collect.
    static let bodyLimit = 64 << 20
    /// The most bytes of an error's text to read.
    static let messageLimit = 64 << 10

    /// How long the engine may take for slow work, such as removing a large file system, and how long a build or a pull
    /// may be silent.
    let longTimeout: TimeAmount
    /// How long the engine may take for any other answer.
    let callTimeout: TimeAmount
    private let pool: ConnectionPool
    private let onCall: (@Sendable (Call) -> Void)?
    private let host: String

    /// Connects to the engine and agrees on an API version: `GET /_ping`.
    ///
    /// The next call reuses the connection. If the engine exceeds a time limit, the call throws `.transport` and closes
    /// the connection; whether the engine still acts is unknown.
    /// - Parameters:
    ///   - timeout: limits each connection attempt, and the ping.
    ///   - callTimeout: limits each call from request to answer, and a stream to its answer's head. Events and followed
    ///     logs have no limit; a call that ends a process gets that process's time in addition.
    ///   - longTimeout: limits slow work instead: creating with a copy of a folder, removing, and each silence of a
    ///     build or a pull.
    package static func connect(
        to address: EngineAddress,
        timeout: Duration = .seconds(10),
        callTimeout: Duration = .seconds(60),
        longTimeout: Duration = .seconds(600),
        onCall: (@Sendable (Call) -> Void)? = nil
    ) async throws(EngineError) -> EngineClient {
        let amount = TimeAmount(timeout)
        let client = EngineClient(
            address: address,
            apiVersion: .minimum,
            callTimeout: TimeAmount(callTimeout),
            longTimeout: TimeAmount(longTimeout),
            pool: ConnectionPool(address: address, timeout: amount),
            onCall: onCall
        )
        let ping = try await client.ping(within: amount)
        return EngineClient(
            address: address,
            apiVersion: try APIVersion.negotiated(offered: ping.apiVersion),
            callTimeout: client.callTimeout,
            longTimeout: client.longTimeout,
            pool: client.pool,
            onCall: onCall
        )
    }

    private init(
        address: EngineAddress,
        apiVersion: APIVersion,
        callTimeout: TimeAmount,
        longTimeout: TimeAmount,
        pool: ConnectionPool,
        onCall: (@Sendable (Call) -> Void)?
    ) {
        self.address = address
        self.apiVersion = apiVersion
        self.callTimeout = callTimeout
        self.longTimeout = longTimeout
        self.pool = pool
        self.onCall = onCall
        host =
            switch address {
            case .unix: "docker"
            case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            }
    }

    /// Closes the idle connections; calls in progress end by themselves.
    package func close() {
        pool.close()
    }

    // MARK: - For the endpoints

    /// A request for a path under the API version, to be answered within `callTimeout`.
    func request(
        _ method: HTTPMethod,
        _ path: String,
        _ query: [(String, String)] = [],
        body: EngineBody? = nil,
        contentType: String = "application/json"
    ) -> EngineRequest {
        EngineRequest(
            method: method,
            path: "/v\(apiVersion)\(path)",
            query: EngineRequest.query(query),
            contentType: contentType,
            body: body,
            deadlines: Deadlines(answer: callTimeout)
        )
    }

    /// A request with a JSON body.
    func request(
        _ method: HTTPMethod,
        _ path: String,
        _ query: [(String, String)] = [],
        json: some Encodable
    ) throws(EngineError) -> EngineRequest {
        request(method, path, query, body: .bytes(try EngineJSON.encode(json)))
    }

    /// The request with a longer time limit, for work that may take long or be silent for long.
    func patient(_ request: EngineRequest) -> EngineRequest {
        var request = request
        request.deadlines = Deadlines(answer: longTimeout, idle: longTimeout)
        return request
    }

    /// Makes a call and collects its answer; throws for a status outside 200 to 299, with the engine's words.
    @discardableResult
    func call(_ request: EngineRequest) async throws(EngineError) -> (head: HTTPResponseHead, body: [UInt8]) {
        let response = try await observed(request) { () async throws(EngineError) -> EngineResponse in
            try await self.pooled(request)
        }
        guard case .whole(let body) = response.body else {
            throw .transport("the answer to \(request.path) was not taken whole")
        }
        guard (200..<300).contains(response.status) else { throw Self.refusal(request, response.status, body) }
        return (response.head, body)
    }

    /// Makes a call and decodes its JSON answer.
    func value<Value: Decodable>(_ type: Value.Type, _ request: EngineRequest) async throws(EngineError) -> Value {
        try EngineJSON.decode(type, from: try await call(request).body, path: request.path)
    }

    /// Makes a call whose answer is streamed, on a separate connection.
    func stream(_ request: EngineRequest) async throws(EngineError) -> EngineStream<[UInt8]> {
        let response = try await observed(request) { () async throws(EngineError) -> EngineResponse in
            try await self.dedicated(request).response
        }
        return try await Self.body(of: response, request)
    }

    /// Makes a call that turns the connection into a raw stream in both directions.
    func hijack(_ request: EngineRequest) async throws(EngineError) -> (
        output: EngineStream<[UInt8]>, connection: EngineConnection
    ) {
        var connection: EngineConnection?
        let response = try await observed(request) { () async throws(EngineError) -> EngineResponse in
            let made = try await self.dedicated(request, hijacks: true)
            connection = made.connection
            return made.response
        }
        let output = try await Self.body(of: response, request)
        guard let connection else { throw .transport("the connection was lost") }
        return (output, connection)
    }

    // MARK: - Sending

    private func pooled(_ request: EngineRequest) async throws(EngineError) -> EngineResponse {
        guard !Task.isCancelled else { throw .cancelled }
        if let connection = pool.checkOut() {
            do {
                return try await connection.exchange(request, host: host, limit: Self.bodyLimit)
            } catch {
                guard error.allowsRetry(of: request) else { throw error.error }
            }
        }
        let connection = try await pool.open()
        do {
            return try await connection.exchange(request, host: host, limit: Self.bodyLimit)
        } catch {
            throw error.error
        }
    }

    private func dedicated(
        _ request: EngineRequest,
        hijacks: Bool = false
    ) async throws(EngineError) -> (response: EngineResponse, connection: EngineConnection) {
        guard !Task.isCancelled else { throw .cancelled }
        let connection = try await pool.openDedicated(hijacks: hijacks)
        do {
            return (try await connection.exchange(request, host: host, limit: nil), connection)
        } catch {
            throw error.error
        }
    }

    private func observed(
        _ request: EngineRequest,
        _ send: () async throws(EngineError) -> EngineResponse
    ) async throws(EngineError) -> EngineResponse {
        guard let onCall else { return try await send() }
        let start = ContinuousClock.now
        func tell(_ status: Int?) {
            let target = request.query.isEmpty ? request.path : "\(request.path)?\(request.query)"
            let duration = ContinuousClock.now - start
            onCall(Call(method: request.method.rawValue, target: target, status: status, duration: duration))
        }
        do {
            let response = try await send()
            tell(response.status)
            return response
        } catch {
            tell(nil)
            throw error
        }
    }

    // MARK: - Answers

    private static func body(
        of response: EngineResponse,
        _ request: EngineRequest
    ) async throws(EngineError) -> EngineStream<[UInt8]> {
        switch response.body {
        case .hijacked(let stream): return stream
        case .whole(let bytes): return EngineStream([bytes])
        case .stream(let stream):
            guard !(200..<300).contains(response.status) else { return stream }
            let message = try await prefix(of: stream)
            throw refusal(request, response.status, message)
        }
    }

    private static func prefix(of stream: EngineStream<[UInt8]>) async throws(EngineError) -> [UInt8] {
        var bytes: [UInt8] = []
        var iterator = stream.makeAsyncIterator()
        while bytes.count < messageLimit, let more = try await iterator.next() {
            bytes.append(contentsOf: more)
        }
        return bytes
    }

    private struct Refusal: Decodable { var message: String }

    /// The error for a failed status: with the engine's message, or with the plain body if there is none.
    private static func refusal(_ request: EngineRequest, _ status: Int, _ body: [UInt8]) -> EngineError {
        let bytes = Array(body.prefix(messageLimit))
        let told = try? EngineJSON.decode(Refusal.self, from: bytes, path: request.path).message
        let bare = String(decoding: bytes, as: UTF8.self)
        return .http(
            EngineError.HTTPFailure(
                status: status,
                method: request.method.rawValue,
                path: request.path,
                message: told ?? bare.trimmedLine
            )
        )
    }
}

extension String {
    fileprivate var trimmedLine: String {
        var text = self[...]
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
