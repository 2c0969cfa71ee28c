import HTTPTypes
import ReconcilerPlatform

/// A complete answer.
struct Reply: Sendable {
    var status: Int
    var fields: HTTPFields = [:]
    var body: String
    /// Whether to close the connection, because its further bytes can't be read.
    var endsConnection = false

    static func text(_ status: Int, _ body: String, endsConnection: Bool = false) -> Reply {
        Reply(
            status: status,
            fields: [.contentType: "text/plain; charset=utf-8"],
            body: body,
            endsConnection: endsConnection
        )
    }

    static func json(_ status: Int, _ node: JSONNode) -> Reply {
        Reply(status: status, fields: [.contentType: "application/json"], body: node.line)
    }

    var head: HTTPResponse {
        var fields = fields
        fields[.contentLength] = "\(body.utf8.count)"
        fields[.cacheControl] = "no-store"
        fields[.xContentTypeOptions] = "nosniff"
        if endsConnection { fields[.connection] = "close" }
        return HTTPResponse(status: HTTPResponse.Status(code: status), headerFields: fields)
    }
}
