#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension Paths {
    /// The executable file of this process, with links resolved; nil if the system doesn't tell.
    package static func executable() -> String? {
        #if canImport(Darwin)
            var size: UInt32 = 4096
            var buffer = [CChar](repeating: 0, count: Int(size))
            guard unsafe _NSGetExecutablePath(&buffer, &size) == 0 else { return nil }
            let end = buffer.firstIndex(of: 0) ?? buffer.endIndex
            let path = String(decoding: buffer[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return try? POSIX.resolve(path)
        #else
            return try? POSIX.resolve("/proc/self/exe")
        #endif
    }
}
