import ReconcilerModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Basic file operations on the host.
enum HostFiles {
    /// The status of `path`; nil if it doesn't exist.
    static func status(_ path: String, followsLinks: Bool = true) throws(FileProblem) -> FileStatus? {
        var info = stat()
        let result = followsLinks ? unsafe stat(path, &info) : unsafe lstat(path, &info)
        guard result == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw FileProblem(errno: errno, path)
        }
        let kind: FileKind =
            switch info.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            default: .other
            }
        return FileStatus(
            kind: kind,
            size: Int(info.st_size),
            isExecutable: info.st_mode & 0o100 != 0,
            isShared: info.st_mode & 0o077 != 0
        )
    }

    /// The bytes of the file at `path`, which may be a pipe; throws if there are more than `limit`.
    static func read(_ path: String, limit: Int, followsLinks: Bool = true) throws(FileProblem) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | (followsLinks ? 0 : O_NOFOLLOW))
        guard descriptor >= 0 else { throw FileProblem(errno: errno, path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Self.fill($0, from: descriptor) }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileProblem(errno: errno, path)
            }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= limit else { throw FileProblem(path, "it has more than \(limit) bytes") }
        }
    }

    /// The names in the folder at `path`, sorted by their bytes.
    static func names(in path: String) throws(FileProblem) -> [String] {
        guard let folder = unsafe opendir(path) else { throw FileProblem(errno: errno, path) }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(validatingCString: $0) }
            }
            guard let name else { throw FileProblem(path, "a name in this folder is not UTF-8") }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// `path` without links, `.` and `..`; nil if it doesn't exist.
    static func resolved(_ path: String) -> String? {
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        return unsafe String(validatingCString: real)
    }

    /// The target of the symbolic link at `path`.
    static func target(ofLink path: String) throws(FileProblem) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            guard let base = unsafe bytes.assumingMemoryBound(to: CChar.self).baseAddress else { return -1 }
            return unsafe readlink(path, base, bytes.count)
        }
        guard count >= 0 else { throw FileProblem(errno: errno, path) }
        guard count < buffer.count else { throw FileProblem(path, "the link is too long") }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Creates the folder at `path` and its parents; leaves existing ones as they are.
    static func makeFolder(_ path: String, mode: mode_t = 0o700) throws(FileProblem) {
        if unsafe mkdir(path, mode) == 0 { return }
        let code = errno
        if code == EEXIST, try status(path)?.kind == .folder { return }
        guard code == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw FileProblem(errno: code, path)
        }
        try makeFolder(String(path[..<slash]), mode: mode)
        guard unsafe mkdir(path, mode) == 0 || errno == EEXIST else { throw FileProblem(errno: errno, path) }
    }

    /// Writes a new file at `path` and waits until it is on disk.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(FileProblem) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw FileProblem(errno: errno, path) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Self.drain($0, to: descriptor) }
            if count < 0, errno != EINTR { throw FileProblem(errno: errno, path) }
            rest = rest.dropFirst(max(count, 0))
        }
        guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0 else { throw FileProblem(errno: errno, path) }
    }

    static func makeLink(_ path: String, to target: String) throws(FileProblem) {
        guard unsafe symlink(target, path) == 0 else { throw FileProblem(errno: errno, path) }
    }

    /// Moves `old` to `new`, which must not exist.
    ///
    /// - Returns: false if `new` exists already.
    static func move(_ old: String, to new: String) throws(FileProblem) -> Bool {
        if unsafe rename(old, new) == 0 { return true }
        if errno == EEXIST || errno == ENOTEMPTY { return false }
        throw FileProblem(errno: errno, new)
    }

    /// Removes `path` with everything below it; succeeds if it doesn't exist.
    static func remove(_ path: String) throws(FileProblem) {
        guard let status = try status(path, followsLinks: false) else { return }
        guard status.kind == .folder else {
            guard unsafe unlink(path) == 0 else { throw FileProblem(errno: errno, path) }
            return
        }
        for name in try names(in: path) { try remove(path + "/" + name) }
        guard unsafe rmdir(path) == 0 else { throw FileProblem(errno: errno, path) }
    }

    static var processID: Int32 { getpid() }

    static var currentFolder: String? { resolved(".") }

    private static func fill(_ buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32) -> Int {
        #if canImport(Darwin)
            unsafe Darwin.read(descriptor, buffer.baseAddress, buffer.count)
        #elseif canImport(Musl)
            unsafe Musl.read(descriptor, buffer.baseAddress, buffer.count)
        #else
            unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }

    private static func drain(_ buffer: UnsafeRawBufferPointer, to descriptor: Int32) -> Int {
        #if canImport(Darwin)
            unsafe Darwin.write(descriptor, buffer.baseAddress, buffer.count)
        #elseif canImport(Musl)
            unsafe Musl.write(descriptor, buffer.baseAddress, buffer.count)
        #else
            unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }
}
