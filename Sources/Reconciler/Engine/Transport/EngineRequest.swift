import NIOCore
import NIOHTTP1

/// One request, before it is known on which connection it goes.
struct EngineRequest: Sendable {
    var method: HTTPMethod
    /// The path with the API version and without the query, percent-encoded.
    var path: String
    /// The query, percent-encoded; empty for none.
    var query = ""
    var contentType = "application/json"
    var body: EngineBody?
    var deadlines = Deadlines.none

    /// Whether doing it twice is as doing it once and asking is all that it does.
    var isReadOnly: Bool { method == .GET || method == .HEAD }

    func head(host: String) -> HTTPRequestHead {
        var headers = HTTPHeaders([("Host", host), ("User-Agent", "bottle"), ("Accept-Encoding", "identity")])
        switch body {
        case .bytes(let bytes):
            headers.add(name: "Content-Type", value: contentType)
            headers.add(name: "Content-Length", value: String(bytes.count))
        case .stream:
            headers.add(name: "Content-Type", value: contentType)
            headers.add(name: "Transfer-Encoding", value: "chunked")
        case nil:
            // Without it a POST is sent chunked, and 20.10 tries to parse the empty body as JSON.
            if method == .POST || method == .PUT { headers.add(name: "Content-Length", value: "0") }
        }
        let target = query.isEmpty ? path : "\(path)?\(query)"
        return HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: headers)
    }
}

/// An answer's head, and its body as it comes or whole.
struct EngineResponse: Sendable {
    enum Body: Sendable {
        case whole([UInt8])
        case stream(EngineStream<[UInt8]>)
        case hijacked(EngineStream<[UInt8]>)
    }

    var head: HTTPResponseHead
    var body: Body

    var status: Int { Int(head.status.code) }
}

/// Why an exchange ended without an answer, and how far it had come.
struct ExchangeFailure: Error {
    enum Progress: Sendable {
        /// The connection was closed before anything was written.
        case notSent
        /// The request was written, no byte of an answer came.
        case unanswered
        /// A part of the answer came, or it is not HTTP.
        case begun
        /// The engine took too long.
        case overdue
    }

    var error: EngineError
    var progress: Progress

    /// Whether the request may go out again on a fresh connection.
    func allowsRetry(of request: EngineRequest) -> Bool {
        switch progress {
        case .notSent: true
        case .unanswered: request.isReadOnly && error != .cancelled
        case .begun, .overdue: false
        }
    }
}
