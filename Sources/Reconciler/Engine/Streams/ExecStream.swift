/// A running command in a container, with its input and output.
///
/// Dropping it or calling `close` ends the connection, not the command; the engine then closes the command's input.
package struct ExecStream: Sendable {
    /// The command's output, until it ends.
    package let output: EngineStream<OutputFrame>
    private let connection: EngineConnection

    init(output: EngineStream<OutputFrame>, connection: EngineConnection) {
        self.output = output
        self.connection = connection
    }

    /// Writes to the command's input; returns when the socket has accepted the bytes.
    package func write(_ bytes: [UInt8]) async throws(EngineError) {
        try await connection.write(bytes)
    }

    /// Closes the command's input; its output still comes.
    package func closeInput() async throws(EngineError) {
        try await connection.closeOutput()
    }

    /// Closes the connection.
    package func close() {
        connection.close()
    }
}
