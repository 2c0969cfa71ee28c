/// Decodes values from chunks of bytes that may be cut anywhere.
protocol StreamDecoder: Sendable {
    associatedtype Output: Sendable

    /// Decodes the next bytes and appends every value that is now complete.
    mutating func decode(_ bytes: [UInt8], into values: inout [Output]) throws(EngineError)

    /// Called once, at the end of the bytes.
    mutating func finish(into values: inout [Output]) throws(EngineError)
}
