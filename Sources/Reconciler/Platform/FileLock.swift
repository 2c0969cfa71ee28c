package import ReconcilerTime

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A kernel lock (`flock`) on a file, between processes and between tasks of one process.
///
/// The kernel releases it when its holder ends, however that happens, so no lock goes stale. The file stays: removing
/// it would let two holders in. It contains the holder's process id, only for messages.
package struct FileLock: Sendable, Hashable {
    package let path: String

    package init(path: String) { self.path = path }

    /// A held lock, released with its last reference.
    package final class Held: Sendable {
        private let descriptor: Descriptor

        fileprivate init(_ descriptor: Descriptor) { self.descriptor = descriptor }

        /// Unlocks before closing, because a child between fork and exec still has the descriptor open.
        deinit { _ = flock(descriptor.number, LOCK_UN) }
    }

    /// The wait for a lock timed out.
    package struct TimedOut: Error, Sendable, CustomStringConvertible {
        package let path: String
        /// Process id of the last holder, if readable.
        package let holder: Int32?

        package var description: String {
            "\(path): held by \(holder.map { "process \($0)" } ?? "another process")"
        }
    }

    /// Acquires the lock if it is free; nil if it is held.
    package func tryAcquire() throws -> Held? {
        while true {
            let descriptor = try POSIX.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
            if flock(descriptor.number, LOCK_EX | LOCK_NB) != 0 {
                if errno == EINTR { continue }
                if errno == EWOULDBLOCK { return nil }
                throw SystemError("lock", path, errno)
            }
            // The file may have been replaced between open and lock; only the one under the name counts.
            let mine = try descriptor.status(path)
            guard let named = try POSIX.status(path, followLinks: false), named.st_ino == mine.st_ino,
                named.st_dev == mine.st_dev
            else { continue }
            if ftruncate(descriptor.number, 0) == 0 {
                try descriptor.write(Array("\(getpid())\n".utf8), to: path)
            }
            return Held(descriptor)
        }
    }

    /// Acquires the lock, retrying after 1 ms, 2 ms and so on until it is free.
    ///
    /// - Parameters:
    ///   - wait: how long to try; nil: until the task is cancelled.
    ///   - longestPause: the longest pause between two tries. Make it longer where many may wait for long.
    /// - Throws: `TimedOut`, `CancellationError` or `SystemError`; the lock is not held then.
    package func acquire(
        wait: Duration? = nil,
        longestPause: Duration = .milliseconds(20),
        time: TimeSource = .system
    ) async throws -> Held {
        let start = time.instant()
        let backoff = Backoff(base: .milliseconds(1), cap: longestPause)
        var looks = 0
        while true {
            try Task.checkCancellation()
            if let held = try tryAcquire() { return held }
            if let wait, time.instant() - start >= wait { throw TimedOut(path: path, holder: holder()) }
            looks += 1
            try await time.sleep(for: backoff.delay(failures: looks, jitter: 1))
        }
    }

    /// Runs `body` while holding the lock.
    package func withLock<Result>(wait: Duration? = nil, _ body: () async throws -> Result) async throws -> Result {
        let held = try await acquire(wait: wait)
        defer { extendLifetime(held) }
        return try await body()
    }

    /// The process id of the last holder, for messages; that process may be gone.
    package func holder() -> Int32? {
        guard let bytes = try? DurableFile.read(path, limit: 32, followLinks: false) else { return nil }
        return Int32(String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace })
    }
}
