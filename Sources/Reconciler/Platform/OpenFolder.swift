package import ReconcilerTime

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

private func systemOpen(_ folder: Int32, _ name: String, _ flags: Int32) -> Int32 { unsafe openat(folder, name, flags) }

/// An open folder, for reading files while another process may change them.
///
/// Looks names up in the folder that was opened, even if its path now leads elsewhere. Follows no links, never blocks,
/// and bounds everything.
package struct OpenFolder: Sendable {
    package let path: String
    private let descriptor: Descriptor

    /// Opens a folder; nil if it doesn't exist.
    ///
    /// - Throws: `SystemError`, also for something that is not a folder.
    package init?(_ path: String) throws {
        do {
            descriptor = try POSIX.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        } catch let error as SystemError where error.number == ENOENT {
            return nil
        }
        self.path = path
    }

    /// The result of reading one name.
    package enum Reading: Sendable, Hashable {
        case bytes([UInt8])
        /// The name doesn't exist, or no longer does.
        case missing
        /// Why the file can't be accepted.
        case unsuitable(String)
    }

    /// Reads a regular file with exactly one link.
    ///
    /// - Parameter limit: most bytes.
    package func read(_ name: String, limit: Int) -> Reading {
        guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(0x2F), !name.utf8.contains(0) else {
            return .unsuitable("its name is none of a file")
        }
        let place = "\(path)/\(name)"
        do {
            let file = try open(name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY)
            let status = try file.status(place)
            guard status.st_mode & S_IFMT == S_IFREG else { return .unsuitable("it is not a regular file") }
            guard status.st_nlink <= 1 else { return .unsuitable("it has a second name elsewhere") }
            guard status.st_size <= limit, let bytes = try file.read(place, limit: limit) else {
                return .unsuitable("it has more than \(limit) bytes")
            }
            return .bytes(bytes)
        } catch let error as SystemError where error.number == ENOENT {
            return .missing
        } catch let error as SystemError where error.number == ELOOP || error.number == EMLINK {
            return .unsuitable("it is a symbolic link")
        } catch let error as SystemError where error.number == ENXIO || error.number == EOPNOTSUPP {
            return .unsuitable("it is not a regular file")
        } catch let error as SystemError {
            return .unsuitable(error.reason)
        } catch {
            return .unsuitable("it can't be read")
        }
    }

    /// The folder's names in no order, without `.` and `..`; looks at no more than `limit` of them.
    package func names(limit: Int) throws -> (names: [String], isComplete: Bool) {
        // A separate descriptor, because closing the listing closes it.
        let listed = try open(".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        let number = dup(listed.number)
        guard number >= 0 else { throw SystemError("list", path, errno) }
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        guard let handle = unsafe fdopendir(number) else {
            let error = errno
            _ = close(number)
            throw SystemError("list", path, error)
        }
        defer { unsafe closedir(handle) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(handle) else {
                if errno != 0 { throw SystemError("list", path, errno) }
                return (names, true)
            }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 1) { unsafe String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            guard names.count < limit else { return (names, false) }
            names.append(name)
        }
    }

    /// Identifies the file that now has the name, to detect its replacement; nil if there is none.
    package func mark(of name: String) throws -> FileMark? {
        do {
            let status = try open(name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY).status("\(path)/\(name)")
            return FileMark(
                number: UInt64(status.st_ino),
                size: Int64(status.st_size),
                changed: Timestamp(ofLastChange: status)
            )
        } catch let error as SystemError where error.number == ENOENT {
            return nil
        }
    }

    /// When a name in the folder was last added, removed or replaced.
    package func changed() throws -> Timestamp { Timestamp(ofLastChange: try descriptor.status(path)) }

    private func open(_ name: String, _ flags: Int32) throws -> Descriptor {
        while true {
            let number = systemOpen(descriptor.number, name, flags | O_CLOEXEC)
            if number >= 0 { return Descriptor(owning: number) }
            if errno != EINTR { throw SystemError("open", "\(path)/\(name)", errno) }
        }
    }
}

extension POSIX {
    /// When what `path` names was last changed; nil: there is nothing.
    package static func lastChange(of path: String) throws -> Timestamp? {
        try status(path, followLinks: false).map { Timestamp(ofLastChange: $0) }
    }
}

extension Timestamp {
    fileprivate init(ofLastChange status: stat) {
        #if canImport(Darwin)
            let time = status.st_mtimespec
        #else
            let time = status.st_mtim
        #endif
        self.init(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
    }
}
