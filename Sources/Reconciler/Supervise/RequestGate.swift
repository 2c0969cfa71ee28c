import HTTPTypes
import ReconcilerPlatform

/// What the endpoint answers at all, judged by a request's head.
///
/// A page in a browser inside the bottle may reach us by a name of its own (DNS rebinding); then the request says that
/// name, and where the page is from.
struct RequestGate: Sendable {
    /// Authorities by which the endpoint is known, in lower case.
    var authorities: Set<String>

    static let path = "/mcp"

    /// - Parameters:
    ///   - host: the address that is listened on.
    ///   - port: the port that is listened on.
    init(host: String, port: Int) {
        authorities = ["\(host):\(port)", "supervise:\(port)"]
        if port == 80 { authorities.formUnion([host, "supervise"]) }
        if host == "127.0.0.1" { authorities.insert("localhost:\(port)") }
    }

    /// What to answer in place of what was asked for; nil: nothing is wrong with it.
    func refusal(of head: HTTPRequest) -> Reply? {
        guard let authority = head.authority?.lowercased(), authorities.contains(authority),
            !head.headerFields.contains(where: { $0.name.canonicalName == "host" })
        else { return .text(421, "this address is not served here\n") }
        for origin in head.headerFields[values: .origin] {
            guard origin.hasPrefix("http://"), authorities.contains(origin.dropFirst(7).lowercased()) else {
                return .text(403, "not for pages of elsewhere\n")
            }
        }
        let path = head.path?.prefix { $0 != "?" } ?? ""
        guard path == Self.path else { return .text(404, "the endpoint is \(Self.path)\n") }
        switch head.method {
        case .post, .get, .delete: return nil
        default:
            var reply = Reply.text(405, "only POST, GET and DELETE are answered\n")
            reply.fields[.allow] = "DELETE, GET, POST"
            return reply
        }
    }
}

/// An answer that is whole.
struct Reply: Sendable {
    var status: Int
    var fields: HTTPFields = [:]
    var body: String
    /// Whether what else comes on the connection can't be read.
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

extension HTTPField.Name {
    static var sessionID: HTTPField.Name { HTTPField.Name("Mcp-Session-Id") ?? .authorization }
    static var protocolVersion: HTTPField.Name { HTTPField.Name("MCP-Protocol-Version") ?? .authorization }
    static var lastEventID: HTTPField.Name { HTTPField.Name("Last-Event-ID") ?? .authorization }
}
