import NIOCore
import NIOHTTP1

/// A Docker engine, over its HTTP API.
///
/// Short calls share a few kept connections; each stream has its own. Any number of calls can run side by side.
/// Cancelling a call closes its connection.
package final class EngineClient: EngineWriting {
    /// One finished call, for those who want to see them.
    package struct Call: Sendable, Hashable {
        /// The request's method.
        package let method: String
        /// The request's path and query, as sent.
        package let target: String
        /// The HTTP status; nil when no answer came.
        package let status: Int?
        /// From the call to its answer; of a stream, to the answer's head.
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
    /// The API version that both sides speak.
    package let apiVersion: APIVersion

    /// The most bytes of an answer that is taken whole.
    static let bodyLimit = 64 << 20
    /// The most bytes of an error's text.
    static let messageLimit = 64 << 10

    /// How long an engine may take to do something, such as to remove a large file system, and how long a build or a
    /// pull may be silent.
    let longTimeout: TimeAmount
    /// How long an engine may take to answer anything else.
    let callTimeout: TimeAmount
    private let pool: ConnectionPool
    private let onCall: (@Sendable (Call) -> Void)?
    private let host: String

    /// Reaches the engine and agrees on a version with it: `GET /_ping`.
    ///
    /// The connection stays for the next call. An engine that takes longer than these bounds is a `.transport` error,
    /// and the connection is closed; what it does all the same is not known.
    /// - Parameters:
    ///   - timeout: bounds each connecting and the ping.
    ///   - callTimeout: bounds each call from request to answer, of a stream to the answer's head. Events and followed
    ///     logs have no bound, what ends a process has its own time on top.
    ///   - longTimeout: bounds in its place what may take the engine long: to create with a copy of a folder, to remove,
    ///     and each silence of a build or a pull.
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

    /// Closes the connections that wait; calls under way end by themselves.
    package func close() {
        pool.close()
    }

    // MARK: - For the endpoints

    /// A request to a path under the API version, to be answered within `callTimeout`.
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

    /// A request whose body is a value as JSON.
    func request(
        _ method: HTTPMethod,
        _ path: String,
        _ query: [(String, String)] = [],
        json: some Encodable
    ) throws(EngineError) -> EngineRequest {
        request(method, path, query, body: .bytes(try EngineJSON.encode(json)))
    }

    /// `request`, for what may take the engine long, or may be silent for long.
    func patient(_ request: EngineRequest) -> EngineRequest {
        var request = request
        request.deadlines = Deadlines(answer: longTimeout, idle: longTimeout)
        return request
    }

    /// Makes a call whose answer is taken whole; a status outside 200 to 299 is thrown with the engine's words.
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

    /// Makes a call whose answer is a JSON value.
    func value<Value: Decodable>(_ type: Value.Type, _ request: EngineRequest) async throws(EngineError) -> Value {
        try EngineJSON.decode(type, from: try await call(request).body, path: request.path)
    }

    /// Makes a call whose answer comes as it is made, on a connection of its own.
    func stream(_ request: EngineRequest) async throws(EngineError) -> EngineStream<[UInt8]> {
        let response = try await observed(request) { () async throws(EngineError) -> EngineResponse in
            try await self.dedicated(request).response
        }
        return try await Self.body(of: response, request)
    }

    /// Makes a call after which the connection is a raw stream in both directions.
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
        if let connection = pool.take() {
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

    /// The error for a status that is not success; the engine's message, or the bare body where it sent none.
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
