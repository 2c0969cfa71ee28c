/// Bytes to send to the engine.
package enum EngineBody: Sendable {
    /// Bytes in memory.
    case bytes([UInt8])
    /// Bytes produced while they are sent, as fast as the engine reads them.
    case stream(EngineStream<[UInt8]>)
}
