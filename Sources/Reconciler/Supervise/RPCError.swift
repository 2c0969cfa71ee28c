import ReconcilerPlatform

/// A JSON-RPC error.
struct RPCError: Error, Sendable, Hashable {
    enum Code: Int, Sendable {
        case parse = -32700
        case invalidRequest = -32600
        case methodNotFound = -32601
        case invalidParameters = -32602
        case `internal` = -32603
    }

    var code: Code
    var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    func answer(to id: JSONNode = .null) -> JSONNode {
        .object([
            "jsonrpc": .text("2.0"), "id": id,
            "error": .object(["code": .integer(code.rawValue), "message": .text(message)]),
        ])
    }
}
