/// A command that runs in a container, with its input and output.
///
/// Dropping it or `close` ends the connection, not the command; the engine then closes the command's input.
package struct ExecStream: Sendable {
    /// What the command writes, until it ends.
    package let output: EngineStream<OutputFrame>
    private let connection: EngineConnection

    init(output: EngineStream<OutputFrame>, connection: EngineConnection) {
        self.output = output
        self.connection = connection
    }

    /// Gives the command input; returns when the socket has taken it.
    package func write(_ bytes: [UInt8]) async throws(EngineError) {
        try await connection.write(bytes)
    }

    /// Ends the command's input; its output still comes.
    package func closeInput() async throws(EngineError) {
        try await connection.closeOutput()
    }

    /// Ends the connection.
    package func close() {
        connection.close()
    }
}
