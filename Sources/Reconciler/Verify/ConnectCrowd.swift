#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Tries many connections at once on one thread.
struct ConnectCrowd {
    struct BadAddress: Error {
        var text: String
    }

    struct NoSocket: Error {
        var code: Int32
    }

    private struct Pending {
        var target: PortScan.Target
        var end: ContinuousClock.Instant
    }

    private let most = 400
    private var sockets: [pollfd] = []
    private var pending: [Pending] = []

    /// Connects to all of `targets` and reports each outcome; leaves nothing open.
    mutating func connect(
        _ targets: [PortScan.Target],
        patience: Int,
        _ tell: (PortScan.Target, PortScan.Outcome) -> Void
    ) throws {
        var rest = targets[...]
        while !rest.isEmpty || !pending.isEmpty {
            while pending.count < most, let target = rest.popFirst() {
                if let outcome = try begin(target, patience: patience) { tell(target, outcome) }
            }
            finish(tell)
        }
    }

    /// Starts one connection; returns its outcome if that is known at once.
    private mutating func begin(_ target: PortScan.Target, patience: Int) throws -> PortScan.Outcome? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(target.port).bigEndian)
        guard unsafe inet_pton(AF_INET, target.address, &address.sin_addr) == 1 else {
            throw BadAddress(text: target.address)
        }
        #if canImport(Glibc)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        let descriptor = socket(AF_INET, stream, 0)
        guard descriptor >= 0 else { throw NoSocket(code: errno) }
        guard fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0 else {
            close(descriptor)
            throw NoSocket(code: errno)
        }
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                #if canImport(Glibc)
                    unsafe Glibc.connect(descriptor, pointer, size)
                #elseif canImport(Musl)
                    unsafe Musl.connect(descriptor, pointer, size)
                #else
                    unsafe Darwin.connect(descriptor, pointer, size)
                #endif
            }
        }
        let code = result == 0 ? 0 : errno
        if code == EINPROGRESS {
            sockets.append(pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0))
            pending.append(Pending(target: target, end: .now + .milliseconds(patience)))
            return nil
        }
        defer { close(descriptor) }
        return Self.outcome(of: descriptor, code, target)
    }

    /// Waits until at least one outcome is known or some time has passed, and reports.
    private mutating func finish(_ tell: (PortScan.Target, PortScan.Outcome) -> Void) {
        guard !pending.isEmpty else { return }
        _ = unsafe poll(&sockets, nfds_t(sockets.count), 20)
        let now = ContinuousClock.now
        for index in sockets.indices.reversed() {
            let outcome: PortScan.Outcome
            if sockets[index].revents != 0 {
                outcome = Self.outcome(of: sockets[index].fd, Self.error(of: sockets[index].fd), pending[index].target)
            } else if now >= pending[index].end {
                outcome = .silent
            } else {
                continue
            }
            close(sockets[index].fd)
            tell(pending[index].target, outcome)
            sockets.swapAt(index, sockets.count - 1)
            pending.swapAt(index, pending.count - 1)
            sockets.removeLast()
            pending.removeLast()
        }
    }

    /// Whether the socket's local end is `target`.
    private static func isOwn(_ target: PortScan.Target, _ descriptor: Int32) -> Bool {
        var own = sockaddr_in()
        var wanted = in_addr()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &own) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe getsockname(descriptor, pointer, &size)
            }
        }
        guard result == 0, unsafe inet_pton(AF_INET, target.address, &wanted) == 1 else { return false }
        return own.sin_addr.s_addr == wanted.s_addr && Int(UInt16(bigEndian: own.sin_port)) == target.port
    }

    private static func error(of descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        let result = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        return result == 0 ? code : errno
    }

    private static func outcome(
        of descriptor: Int32,
        _ code: Int32,
        _ target: PortScan.Target
    ) -> PortScan.Outcome {
        switch code {
        // To an address of our own, the kernel may choose the tried port as the source: the socket connects to itself.
        case 0: isOwn(target, descriptor) ? .refused : .open
        case ECONNREFUSED, ECONNRESET: .refused
        case ETIMEDOUT: .silent
        default: .unreachable
        }
    }
}
