import ReconcilerPlatform

/// A message of JSON-RPC 2.0.
enum RPCMessage: Sendable, Hashable {
    case request(RPCRequest)
    case notification(method: String, parameters: JSONNode)
    /// A response; we never send requests that would cause one.
    case response

    /// - Throws: `RPCError` if it is not a message.
    init(_ node: JSONNode) throws(RPCError) {
        guard case .object = node, node["jsonrpc"] == .text("2.0") else {
            throw RPCError(.invalidRequest, "this is no message of JSON-RPC 2.0")
        }
        guard let method = node["method"] else {
            guard node["result"] != nil || node["error"] != nil else {
                throw RPCError(.invalidRequest, "a message has a method, a result or an error")
            }
            self = .response
            return
        }
        guard let method = method.text, method.utf8.count <= 128 else {
            throw RPCError(.invalidRequest, "'method' must be a text of at most 128 bytes")
        }
        let parameters = node["params"] ?? .object([:])
        guard case .object = parameters else { throw RPCError(.invalidRequest, "'params' must be an object") }
        guard let id = node["id"] else {
            self = .notification(method: method, parameters: parameters)
            return
        }
        self = .request(RPCRequest(id: try RPCMessage.id(id), method: method, parameters: parameters))
    }

    /// A valid id: a text or a whole number, of bounded length.
    static func id(_ node: JSONNode) throws(RPCError) -> JSONNode {
        switch node {
        case .text(let text) where text.utf8.count <= 256: node
        case .number(let digits) where Int(digits) != nil: node
        default: throw RPCError(.invalidRequest, "'id' must be a whole number or a text of at most 256 bytes")
        }
    }
}
