package import ReconcilerModel
package import ReconcilerPlatform
package import ReconcilerTime

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The record of who did what: `audit.jsonl` in the state folder, each line chained to the one before by its hash.
///
/// Lines are only ever appended, by any number of processes, one at a time under a lock of the kernel's. A full file is
/// renamed to `audit-0001.jsonl` and so on, and the chain goes on in a new one; nothing is ever removed.
package struct AuditLog: Sendable {
    /// The state folder.
    package let folder: String
    package let installation: InstallationID
    /// Who is named by new lines: login and machine, as the system knows them.
    package let `operator`: String
    private let lock: FileLock
    private let fileLimit: Int

    /// - Parameter fileLimit: bytes from which on a file is full; a batch of lines never spans two files.
    package init(_ state: StateFolder, fileLimit: Int = 16 << 20) {
        folder = state.path
        installation = state.installation
        `operator` = "\(UserEntry.current?.login ?? "uid \(geteuid())")@\(HostName.current)"
        lock = state.auditLock
        self.fileLimit = fileLimit
    }

    /// The file that is written to now.
    package var path: String { AuditFiles(folder: folder).current }

    /// Puts `entries` on record, one line each, in one write that is on the disk when this returns.
    ///
    /// If the process dies here, the first lines of the batch are there whole and the others are not; half a line at the
    /// end is set aside by the next append, which says so in a line of its own. Also a cancelled task appends: what was
    /// done goes on record.
    /// - Parameter time: RFC 3339, in UTC.
    /// - Returns: the sequence numbers of the entries.
    /// - Throws: `BottleError` `audit-unwritable`, `audit-damaged` or `audit-busy`; nothing was recorded then.
    @discardableResult
    package func append(_ entries: [AuditEntry], at time: Timestamp) throws -> [Int] {
        guard !entries.isEmpty else { return [] }
        do {
            let held = try acquire()
            defer { extendLifetime(held) }
            return try appendUnderLock(entries, at: time)
        } catch let error as BottleError {
            throw error
        } catch {
            throw BottleError(
                .auditUnwritable,
                "the audit log can't be written, so nothing is done that belongs in it",
                at: path,
                remedy: "make room or mend the permissions, then run the command again",
                cause: "\(error)"
            )
        }
    }

    /// Waits for the lock without giving way to other tasks of the thread: holders keep it for one write only.
    private func acquire() throws -> FileLock.Held {
        let start = ContinuousClock.now
        let backoff = Backoff(base: .microseconds(500), cap: .milliseconds(10))
        var looks = 0
        while true {
            if let held = try lock.tryAcquire() { return held }
            guard ContinuousClock.now - start < .seconds(30) else {
                throw BottleError(
                    .auditBusy,
                    "another process has held the audit log for half a minute",
                    at: lock.path,
                    remedy: lock.holder().map { "look what process \($0) does; the lock goes with it" }
                )
            }
            looks += 1
            _ = usleep(UInt32(backoff.delay(failures: looks, jitter: 1) / .microseconds(1)))
        }
    }

    private func appendUnderLock(_ entries: [AuditEntry], at time: Timestamp) throws -> [Int] {
        let files = AuditFiles(folder: folder)
        var file = try open(files.current)
        var end = try AuditTail.read(file, files.current)
        if end.last != nil, end.isClean, end.size >= fileLimit {
            try POSIX.rename(files.current, to: files.path(number: (try files.numbers().last ?? 0) + 1))
            file = try open(files.current)
            end.size = 0
        }
        var link = end.last?.link ?? .beginning
        var bytes: [UInt8] = end.needsNewline ? [UInt8(ascii: "\n")] : []
        func add(_ entry: AuditEntry) throws {
            let (line, written) = try AuditLine.following(
                link,
                entry,
                time: time.description,
                by: `operator`,
                installation: installation.text,
                ascii: JSONNode.ascii
            )
            bytes += written + [UInt8(ascii: "\n")]
            link = line.link
        }
        let full = end.size == 0 || end.last == nil ? try files.numbers().last : nil
        if end.last == nil, let full { link = try lastLink(of: files.path(number: full)) }
        // Right behind what it sets aside.
        if !end.rest.isEmpty { try add(end.tornLine) }
        if let full {
            var details = AuditDetails()
            details.file = POSIX.name(of: files.path(number: full))
            try add(AuditEntry(.rotated, details: details))
        }
        let sequences = try entries.map { entry in
            try add(entry)
            return link.sequence
        }
        try write(bytes, to: file, at: end.size)
        if end.size == 0 { try DurableFile.synchronizeFolder(folder) }
        return sequences
    }

    private func write(_ bytes: [UInt8], to file: Descriptor, at size: Int) throws {
        do {
            try file.write(bytes, to: path)
        } catch {
            // A disk that is full took a part. Where that can't be taken back, the next append sets it aside.
            _ = ftruncate(file.number, off_t(size))
            throw error
        }
        try file.synchronize(path)
    }

    /// The last line of the file that was full.
    private func lastLink(of path: String) throws -> AuditLine.Link {
        let end = try AuditTail.read(try POSIX.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK), path)
        guard let last = end.last else { throw AuditTail.damage(path) }
        return last.link
    }

    private func open(_ path: String) throws -> Descriptor {
        let file = try POSIX.open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode: 0o600)
        guard try file.status(path).st_mode & S_IFMT == S_IFREG else {
            throw DurableFile.Unsuitable(path: path, reason: "is not a regular file")
        }
        return file
    }
}

extension StateFolder {
    /// The lock for appending to the audit log.
    package var auditLock: FileLock { FileLock(path: "\(locks)/.audit.lock") }
}
