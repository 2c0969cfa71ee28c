#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The name of this machine.
package enum HostName {
    /// The kernel's host name; `localhost` if it has none.
    package static var current: String {
        var buffer = [CChar](repeating: 0, count: 256)
        let result = unsafe buffer.withUnsafeMutableBufferPointer { space in
            guard let start = space.baseAddress else { return Int32(-1) }
            // One byte less, so that the last stays 0 whatever the system writes.
            return unsafe gethostname(start, space.count - 1)
        }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return result == 0 && !bytes.isEmpty ? String(decoding: bytes, as: UTF8.self) : "localhost"
    }
}
