#if canImport(Darwin)
    package import Darwin
#elseif canImport(Musl)
    package import Musl
#else
    package import Glibc
#endif

// Named differently so that the methods below can use the plain names.
private func systemOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { unsafe open(path, flags, mode) }

private func systemRename(_ old: String, _ new: String) -> Int32 { unsafe rename(old, new) }

private func systemUnlink(_ path: String) -> Int32 { unsafe unlink(path) }

private func systemLink(_ old: String, _ new: String) -> Int32 { unsafe link(old, new) }

/// The few system calls that the rooms share: descriptors don't leak into child processes, `EINTR` is retried.
package enum POSIX {
    /// Opens `path` with `flags` and close-on-exec.
    package static func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws -> Descriptor {
        while true {
            let number = systemOpen(path, flags | O_CLOEXEC, mode)
            if number >= 0 { return Descriptor(owning: number) }
            if errno != EINTR { throw SystemError("open", path, errno) }
        }
    }

    /// Metadata of `path`; nil if it doesn't exist.
    package static func status(_ path: String, followLinks: Bool) throws -> stat? {
        var status = stat()
        let result = unsafe followLinks ? stat(path, &status) : lstat(path, &status)
        if result == 0 { return status }
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw SystemError("look at", path, errno)
    }

    /// Creates one folder; succeeds if it exists.
    package static func makeFolder(_ path: String, mode: mode_t = 0o700) throws {
        if unsafe mkdir(path, mode) == 0 { return }
        let number = errno
        if number == EEXIST, let status = try status(path, followLinks: true), status.st_mode & S_IFMT == S_IFDIR {
            return
        }
        throw SystemError("make the folder", path, number)
    }

    package static func rename(_ old: String, to new: String) throws {
        let result = systemRename(old, new)
        if result != 0 { throw SystemError("rename to", new, errno) }
    }

    /// Removes a file; false if it didn't exist.
    @discardableResult
    package static func unlink(_ path: String) throws -> Bool {
        let result = systemUnlink(path)
        if result == 0 { return true }
        if errno == ENOENT { return false }
        throw SystemError("remove", path, errno)
    }

    /// Gives the file a second name; false if that name exists.
    package static func link(_ path: String, as new: String) throws -> Bool {
        let result = systemLink(path, new)
        if result == 0 { return true }
        if errno == EEXIST { return false }
        throw SystemError("link", new, errno)
    }

    /// The names in a folder, sorted, without `.` and `..`; nil if there is no such folder.
    package static func names(in folder: String) throws -> [String]? {
        guard let handle = unsafe opendir(folder) else {
            if errno == ENOENT { return nil }
            throw SystemError("list", folder, errno)
        }
        defer { unsafe closedir(handle) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(handle) else {
                if errno != 0 { throw SystemError("list", folder, errno) }
                return names.sorted()
            }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 1) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    /// The path without links, `.` and `..`; nil if it doesn't exist.
    package static func resolve(_ path: String) throws -> String? {
        guard let resolved = unsafe realpath(path, nil) else {
            if errno == ENOENT { return nil }
            throw SystemError("resolve", path, errno)
        }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// The folder that holds `path`.
    package static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The last component of `path`.
    package static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// 128 random bits as 32 lowercase hexadecimal digits, from the system's generator.
    package static func randomHexadecimal() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
