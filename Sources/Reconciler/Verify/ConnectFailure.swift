import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Why a connection failed.
enum ConnectFailure: Error {
    case ended(Observation.Ending)
    case silence
    /// The name has no address.
    case unresolved

    init(_ error: any Error) {
        var error = error
        var isUnresolved = false
        if let failure = error as? NIOConnectionError {
            isUnresolved = failure.connectionErrors.isEmpty
            error = failure.connectionErrors.first?.error ?? error
        }
        switch error {
        case let error as IOError:
            self =
                switch error.errnoCode {
                case ECONNREFUSED: .ended(.refused)
                case ECONNRESET: .ended(.reset)
                case ETIMEDOUT: .silence
                default: .ended(.unreachable)
                }
        case ChannelError.connectTimeout: self = .silence
        default: self = isUnresolved ? .unresolved : .ended(.unreachable)
        }
    }
}
