import NIOHTTP1

/// An answer's head, and its body, collected or streamed.
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
