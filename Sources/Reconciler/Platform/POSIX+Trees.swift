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
    /// Nothing there is success. What another process puts there meanwhile goes too: once this returns, whoever still
    /// means the old folder finds none. If the process dies here, the next call removes the rest.
    package static func removeTree(_ path: String) throws {
        guard let status = try POSIX.status(path, followLinks: false) else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            _ = try POSIX.unlink(path)
            return
        }
        for attempt in 1... {
            for name in try POSIX.names(in: path) ?? [] { try removeTree("\(path)/\(name)") }
            if unsafe rmdir(path) == 0 || errno == ENOENT { return }
            guard errno == ENOTEMPTY || errno == EEXIST, attempt < 100 else {
                throw SystemError("remove the folder", path, errno)
            }
        }
    }
}
