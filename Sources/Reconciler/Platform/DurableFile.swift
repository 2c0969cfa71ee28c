#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Files that are whole or absent, whenever the process or the machine stops.
///
/// A write goes to a temporary file in the same folder (`.<name>.<random>.tmp`), is synced, renamed, and the folder is
/// synced too. A writer locks its temporary file. An unlocked one was left by a killed writer; the next write of the
/// same name removes it.
package enum DurableFile {
    /// A file that its reader can't accept.
    package struct Unsuitable: Error, Sendable, CustomStringConvertible {
        package let path: String
        package let reason: String

        package init(path: String, reason: String) {
            self.path = path
            self.reason = reason
        }

        package var description: String { "\(path): \(reason)" }
    }

    /// Replaces the content of `path` with `bytes`.
    ///
    /// Postcondition: readers see the old content or the new, never a part; the new content survives a power cut.
    package static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o600) throws {
        while true {
            let temporary = try temporaryFile(bytes, for: path, mode: mode)
            do {
                try POSIX.rename(temporary.path, to: path)
            } catch let error as SystemError where wasTaken(temporary, from: path, error) {
                continue
            } catch {
                _ = try? POSIX.unlink(temporary.path)
                throw error
            }
            return try synchronizeFolder(POSIX.parent(of: path))
        }
    }

    /// Creates `path` with `bytes` unless it exists already.
    ///
    /// - Returns: whether this call created the file. Of several concurrent callers exactly one gets true.
    package static func create(_ bytes: [UInt8], at path: String, mode: UInt32 = 0o600) throws -> Bool {
        while true {
            let temporary = try temporaryFile(bytes, for: path, mode: mode)
            let made: Bool
            do {
                made = try POSIX.link(temporary.path, as: path)
            } catch let error as SystemError where wasTaken(temporary, from: path, error) {
                continue
            } catch {
                _ = try? POSIX.unlink(temporary.path)
                throw error
            }
            try POSIX.unlink(temporary.path)
            try synchronizeFolder(POSIX.parent(of: path))
            return made
        }
    }

    /// The content of a regular file; nil if it doesn't exist.
    ///
    /// Never blocks on a pipe or device. Without `followLinks` it refuses a symbolic link.
    /// - Throws: `Unsuitable` if it is not a regular file or is larger than `limit` bytes; `SystemError`.
    package static func read(_ path: String, limit: Int, followLinks: Bool = true) throws -> [UInt8]? {
        let descriptor: Descriptor
        do {
            descriptor = try POSIX.open(path, O_RDONLY | O_NONBLOCK | (followLinks ? 0 : O_NOFOLLOW))
        } catch let error as SystemError where error.number == ENOENT {
            return nil
        } catch let error as SystemError where error.number == ELOOP && !followLinks {
            throw Unsuitable(path: path, reason: "is a symbolic link")
        }
        guard try descriptor.status(path).st_mode & S_IFMT == S_IFREG else {
            throw Unsuitable(path: path, reason: "is not a regular file")
        }
        guard let bytes = try descriptor.read(path, limit: limit) else {
            throw Unsuitable(path: path, reason: "is larger than \(limit) bytes")
        }
        return bytes
    }

    /// Removes a file durably; succeeds if it doesn't exist.
    package static func remove(_ path: String) throws {
        if try POSIX.unlink(path) { try synchronizeFolder(POSIX.parent(of: path)) }
    }

    /// Syncs a folder's entries to disk.
    package static func synchronizeFolder(_ path: String) throws {
        try POSIX.open(path, O_RDONLY | O_DIRECTORY).synchronize(path)
    }

    /// Whether a cleaner removed the temporary file between its creation and its lock.
    private static func wasTaken(_ temporary: Temporary, from path: String, _ error: SystemError) -> Bool {
        guard error.number == ENOENT else { return false }
        let folder = try? POSIX.status(POSIX.parent(of: path), followLinks: true)
        let file = try? POSIX.status(temporary.path, followLinks: false)
        return folder != nil && file == nil
    }

    private struct Temporary {
        let path: String
        /// Holds the lock that shows that the writer is alive.
        let descriptor: Descriptor
    }

    private static func temporaryFile(_ bytes: [UInt8], for path: String, mode: UInt32) throws -> Temporary {
        let folder = POSIX.parent(of: path)
        let prefix = ".\(POSIX.name(of: path))."
        try removeLeftovers(in: folder, prefix: prefix)
        let temporary = "\(folder)/\(prefix)\(POSIX.randomHexadecimal()).tmp"
        let descriptor = try POSIX.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        do {
            _ = flock(descriptor.number, LOCK_EX | LOCK_NB)
            guard fchmod(descriptor.number, mode_t(mode)) == 0 else {
                throw SystemError("set the mode of", temporary, errno)
            }
            try descriptor.write(bytes, to: temporary)
            try descriptor.synchronize(temporary)
        } catch {
            _ = try? POSIX.unlink(temporary)
            throw error
        }
        return Temporary(path: temporary, descriptor: descriptor)
    }

    private static func removeLeftovers(in folder: String, prefix: String) throws {
        for name in try POSIX.names(in: folder) ?? [] where name.hasPrefix(prefix) && name.hasSuffix(".tmp") {
            let path = "\(folder)/\(name)"
            guard let left = try? POSIX.open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW),
                flock(left.number, LOCK_EX | LOCK_NB) == 0
            else { continue }
            try POSIX.unlink(path)
        }
    }
}
