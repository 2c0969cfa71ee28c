import ReconcilerPlatform

/// A request, which must be answered.
struct RPCRequest: Sendable, Hashable {
    var id: JSONNode
    var method: String
    var parameters: JSONNode

    func result(_ result: JSONNode) -> JSONNode {
        .object(["jsonrpc": .text("2.0"), "id": id, "result": result])
    }
}
