import NIOCore
import NIOHTTP1

/// One request, independent of a connection.
struct EngineRequest: Sendable {
    var method: HTTPMethod
    /// The path with the API version and without the query, percent-encoded.
    var path: String
    /// The query, percent-encoded; empty for none.
    var query = ""
    var contentType = "application/json"
    var body: EngineBody?
    var deadlines = Deadlines.none

    /// Whether it only reads, so that sending it twice does no harm.
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
            // Without this header a POST is sent chunked, and Docker 20.10 tries to parse the empty body as JSON.
            if method == .POST || method == .PUT { headers.add(name: "Content-Length", value: "0") }
        }
        let target = query.isEmpty ? path : "\(path)?\(query)"
        return HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: headers)
    }
}
