import NIOCore
import Synchronization

/// The pool of idle connections for short calls.
final class ConnectionPool: Sendable {
    private struct State {
        var idle: [EngineConnection] = []
        var isClosed = false
    }

    private let address: EngineAddress
    private let timeout: TimeAmount
    private let capacity: Int
    private let state = Mutex(State())

    init(address: EngineAddress, timeout: TimeAmount, capacity: Int = 4) {
        self.address = address
        self.timeout = timeout
        self.capacity = capacity
    }

    deinit {
        close()
    }

    /// Removes and returns the idle connection used last, skipping closed ones; nil if there is none.
    func checkOut() -> EngineConnection? {
        state.withLock { state in
            while let connection = state.idle.popLast() {
                if connection.channel.isActive { return connection }
            }
            return nil
        }
    }

    /// Opens a connection that returns to the pool after each exchange.
    func open() async throws(EngineError) -> EngineConnection {
        try await EngineConnection.open(to: address, timeout: timeout) { [weak self] connection in
            guard let self else { return connection.close() }
            put(connection)
        }
    }

    /// Opens a connection for one exchange.
    func openDedicated(hijacks: Bool = false) async throws(EngineError) -> EngineConnection {
        try await EngineConnection.open(to: address, timeout: timeout, hijacks: hijacks)
    }

    /// Closes the idle connections; those in use close after their exchange.
    func close() {
        let idle = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle
        }
        for connection in idle { connection.close() }
    }

    private func put(_ connection: EngineConnection) {
        let isKept = state.withLock { state in
            state.idle.removeAll { !$0.channel.isActive }
            guard !state.isClosed, state.idle.count < capacity else { return false }
            state.idle.append(connection)
            return true
        }
        if !isKept { connection.close() }
    }
}
