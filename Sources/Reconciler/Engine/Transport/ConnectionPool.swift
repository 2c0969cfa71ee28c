import NIOCore
import Synchronization

/// Connections that wait for the next short call.
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

    /// The connection that was used last, if one waits and is not known to be closed.
    func take() -> EngineConnection? {
        state.withLock { state in
            while let connection = state.idle.popLast() {
                if connection.channel.isActive { return connection }
            }
            return nil
        }
    }

    /// A new connection that comes back to the pool after each exchange.
    func open() async throws(EngineError) -> EngineConnection {
        try await EngineConnection.open(to: address, timeout: timeout) { [weak self] connection in
            guard let self else { return connection.close() }
            put(connection)
        }
    }

    /// A new connection for one exchange.
    func openDedicated(hijacks: Bool = false) async throws(EngineError) -> EngineConnection {
        try await EngineConnection.open(to: address, timeout: timeout, hijacks: hijacks)
    }

    /// Closes the waiting connections; those in use close when their exchange is over.
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
