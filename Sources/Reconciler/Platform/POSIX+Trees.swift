#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension POSIX {
    /// Removes a folder and everything below it, or a file; links are removed, never followed.
    ///
    /// Nothing there is success. If the process dies here, the next call removes the rest.
    package static func removeTree(_ path: String) throws {
        guard let status = try POSIX.status(path, followLinks: false) else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            _ = try POSIX.unlink(path)
            return
        }
        for name in try POSIX.names(in: path) ?? [] { try removeTree("\(path)/\(name)") }
        guard unsafe rmdir(path) == 0 || errno == ENOENT else { throw SystemError("remove the folder", path, errno) }
    }
}
