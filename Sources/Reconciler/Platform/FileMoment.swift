#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A time on a file system's clock.
package struct FileMoment: Sendable, Hashable {
    package var seconds: Int64
    package var nanoseconds: Int64

    /// The modification time of `path`; nil if it doesn't exist.
    package init?(ofLastChange path: String) throws {
        guard let status = try POSIX.status(path, followLinks: false) else { return nil }
        self.init(status)
    }

    init(_ status: stat) {
        #if canImport(Darwin)
            seconds = Int64(status.st_mtimespec.tv_sec)
            nanoseconds = Int64(status.st_mtimespec.tv_nsec)
        #else
            seconds = Int64(status.st_mtim.tv_sec)
            nanoseconds = Int64(status.st_mtim.tv_nsec)
        #endif
    }
}
