#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension POSIX {
    /// Removes a folder with everything below it, or a file; removes links without following them.
    ///
    /// Succeeds if nothing is there. Also removes what another process adds meanwhile: once this returns, a process
    /// that still uses the old path finds no folder. If the process dies here, the next call removes the rest.
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
