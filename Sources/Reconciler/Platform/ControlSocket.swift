internal import NIOCore
internal import NIOPosix

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The socket in the state folder by which a controller is told that something changed.
///
/// A connection is the message: whoever gets one looks for itself. Nothing is lost when nobody listens.
package struct ControlSocket: Sendable, Hashable {
    package let path: String

    package init(path: String) { self.path = path }

    /// Tells whoever listens; returns at once, also when nobody does.
    package func poke() {
        guard var address = Self.address(path) else { return }
        let descriptor = socket(AF_UNIX, Self.stream, 0)
        guard descriptor >= 0 else { return }
        defer { _ = close(descriptor) }
        // Never waits: a full queue means that the listener has something to look for already.
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else { return }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        _ = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(descriptor, address, size)
            }
        }
    }

    /// Calls `onPoke` for each message, until cancelled.
    ///
    /// Only for the one who holds the controller's lock: a socket that
    /// was left behind is replaced.
    ///
    /// - Throws: what the system says when the socket can't be made, `CancellationError`.
    package func listen(_ onPoke: @Sendable () -> Void) async throws {
        _ = try? POSIX.unlink(path)
        // Nobody else may tell us anything; the folder is closed to others anyway.
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 64)
            .bind(unixDomainSocketPath: path) { connection in
                connection.eventLoop.makeSucceededFuture(connection)
            }
        defer { _ = try? POSIX.unlink(path) }
        _ = unsafe chmod(path, 0o600)
        try await server.executeThenClose { connections in
            for try await connection in connections {
                onPoke()
                connection.close(promise: nil)
            }
        }
        try Task.checkCancellation()
    }

    #if canImport(Glibc)
        private static let stream = Int32(SOCK_STREAM.rawValue)
    #else
        private static let stream = SOCK_STREAM
    #endif

    /// Nil when the path is longer than an address holds.
    private static func address(_ path: String) -> sockaddr_un? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let fits = unsafe withUnsafeMutableBytes(of: &address.sun_path) { place in
            guard bytes.count < place.count else { return false }
            unsafe place.copyBytes(from: bytes)
            return true
        }
        return fits ? address : nil
    }
}
