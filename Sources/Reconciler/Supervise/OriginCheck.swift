import HTTPTypes
import ReconcilerPlatform

/// Decides by a request's head whether the endpoint answers it.
///
/// A page in a browser inside the bottle may use its own name for our address (DNS rebinding); then the request
/// contains that name, and the page's origin.
struct OriginCheck: Sendable {
    /// The endpoint's own authorities, in lower case.
    var authorities: Set<String>

    static let path = "/mcp"

    /// - Parameters:
    ///   - host: the address on which the server listens.
    ///   - port: the port on which it listens.
    init(host: String, port: Int) {
        authorities = ["\(host):\(port)", "supervise:\(port)"]
        if port == 80 { authorities.formUnion([host, "supervise"]) }
        if host == "127.0.0.1" { authorities.insert("localhost:\(port)") }
    }

    /// The reply that refuses the request; nil if it is acceptable.
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

extension HTTPField.Name {
    static var sessionID: HTTPField.Name { HTTPField.Name("Mcp-Session-Id") ?? .authorization }
    static var protocolVersion: HTTPField.Name { HTTPField.Name("MCP-Protocol-Version") ?? .authorization }
    static var lastEventID: HTTPField.Name { HTTPField.Name("Last-Event-ID") ?? .authorization }
}
