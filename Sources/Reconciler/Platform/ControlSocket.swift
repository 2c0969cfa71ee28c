internal import NIOCore
internal import NIOPosix

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The socket in the state folder through which other processes tell a controller that something changed.
///
/// A connection is the whole message: the controller then looks for the change itself. If no controller listens,
/// nothing is lost.
package struct ControlSocket: Sendable, Hashable {
    package let path: String

    package init(path: String) { self.path = path }

    /// Tells a listening controller; returns at once, also if none listens.
    package func poke() {
        guard var address = Self.address(path) else { return }
        let descriptor = socket(AF_UNIX, Self.stream, 0)
        guard descriptor >= 0 else { return }
        defer { _ = close(descriptor) }
        // Never wait: if the queue is full, the listener already has a reason to look.
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else { return }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        _ = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(descriptor, address, size)
            }
        }
    }

    /// Calls `onPoke` for each message until cancelled.
    ///
    /// Call it only while holding the controller's lock: it replaces a socket that was left behind.
    ///
    /// - Throws: the system's error if the socket can't be made; `CancellationError`.
    package func listen(_ onPoke: @Sendable () -> Void) async throws {
        _ = try? POSIX.unlink(path)
        // Only the owner may connect; the folder is closed to others anyway.
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

    /// nil if the path is longer than a socket address allows.
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
