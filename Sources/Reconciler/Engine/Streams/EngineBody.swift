/// Bytes to send to the engine.
package enum EngineBody: Sendable {
    /// Bytes that are all here.
    case bytes([UInt8])
    /// Bytes that are made while they are sent, at the pace at which the engine takes them.
    case stream(EngineStream<[UInt8]>)
}
