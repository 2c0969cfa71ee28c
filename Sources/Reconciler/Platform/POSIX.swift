#if canImport(Darwin)
    package import Darwin
#elseif canImport(Musl)
    package import Musl
#else
    package import Glibc
#endif

// The calls under names of their own, so that the methods below can have the plain ones.
private func systemOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { unsafe open(path, flags, mode) }
private func systemRename(_ old: String, _ new: String) -> Int32 { unsafe rename(old, new) }
private func systemUnlink(_ path: String) -> Int32 { unsafe unlink(path) }
private func systemLink(_ old: String, _ new: String) -> Int32 { unsafe link(old, new) }
private func systemWrite(_ number: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(number, start, count)
}
private func systemRead(_ number: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    unsafe read(number, start, count)
}

/// A system call that failed, with the path it was about and the system's own words.
package struct SystemError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was tried, as a verb: `open`, `rename`.
    package let call: String
    package let path: String
    package let number: Int32

    package init(_ call: String, _ path: String, _ number: Int32) {
        self.call = call
        self.path = path
        self.number = number
    }

    /// The system's words for the error number.
    package var reason: String { unsafe String(cString: strerror(number)) }

    package var description: String { "can't \(call) \(path): \(reason)" }
}

/// The few system calls that the rooms share: descriptors never leak into child processes, `EINTR` is retried.
package enum POSIX {
    /// Opens `path` with `flags` (close-on-exec is added).
    package static func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws -> Descriptor {
        while true {
            let number = systemOpen(path, flags | O_CLOEXEC, mode)
            if number >= 0 { return Descriptor(owning: number) }
            if errno != EINTR { throw SystemError("open", path, errno) }
        }
    }

    /// What `path` itself is; nil when nothing is there.
    package static func status(_ path: String, followLinks: Bool) throws -> stat? {
        var status = stat()
        let result = unsafe followLinks ? stat(path, &status) : lstat(path, &status)
        if result == 0 { return status }
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw SystemError("look at", path, errno)
    }

    /// Makes one folder; one that is already there is success.
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

    /// Removes a file; false when there was none.
    @discardableResult
    package static func unlink(_ path: String) throws -> Bool {
        let result = systemUnlink(path)
        if result == 0 { return true }
        if errno == ENOENT { return false }
        throw SystemError("remove", path, errno)
    }

    /// Gives the file a second name; false when that name is taken.
    package static func link(_ path: String, as new: String) throws -> Bool {
        let result = systemLink(path, new)
        if result == 0 { return true }
        if errno == EEXIST { return false }
        throw SystemError("link", new, errno)
    }

    /// The names in a folder, sorted, without `.` and `..`; nil when there is no such folder.
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

    /// The path without links, `.` and `..`; nil when nothing is there.
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

/// An open file descriptor that is closed when its last owner lets go.
package final class Descriptor: Sendable {
    package let number: Int32

    package init(owning number: Int32) { self.number = number }

    deinit { _ = close(number) }

    /// What is open.
    package func status(_ path: String) throws -> stat {
        var status = stat()
        guard unsafe fstat(number, &status) == 0 else { throw SystemError("look at", path, errno) }
        return status
    }

    /// Writes all of `bytes`.
    package func write(_ bytes: [UInt8], to path: String) throws {
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe systemWrite(number, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
            }
            if count < 0, errno != EINTR { throw SystemError("write", path, errno) }
            offset += max(count, 0)
        }
    }

    /// Reads to the end; nil when there are more than `limit` bytes.
    package func read(_ path: String, limit: Int) throws -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe systemRead(number, buffer.baseAddress, buffer.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("read", path, errno)
            }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else { return nil }
            bytes += chunk[..<count]
        }
    }

    /// Reads the beginning: at most `count` bytes.
    package func readStart(_ path: String, count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: count)
        while bytes.count < count {
            let got = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe systemRead(number, buffer.baseAddress, count - bytes.count)
            }
            if got < 0 {
                if errno == EINTR { continue }
                throw SystemError("read", path, errno)
            }
            if got == 0 { break }
            bytes += chunk[..<got]
        }
        return bytes
    }

    /// Waits until the content is on the disk.
    package func synchronize(_ path: String) throws {
        while fsync(number) != 0 {
            if errno != EINTR { throw SystemError("synchronize", path, errno) }
        }
    }
}
