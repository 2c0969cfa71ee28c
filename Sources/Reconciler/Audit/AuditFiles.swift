import ReconcilerPlatform

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The files of an audit log: `audit-0001.jsonl` and on, those that were full, and `audit.jsonl`.
package struct AuditFiles: Sendable, Hashable {
    /// The state folder.
    package let folder: String

    package init(folder: String) { self.folder = folder }

    /// The file that is written to.
    package var current: String { "\(folder)/audit.jsonl" }
    /// Signed checkpoints, a file each.
    package var checkpoints: String { "\(folder)/audit-checkpoints" }

    func path(number: Int) -> String {
        let digits = String(number)
        return "\(folder)/audit-\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits).jsonl"
    }

    /// The numbers of the files that were full, oldest first.
    func numbers() throws -> [Int] {
        try (POSIX.names(in: folder) ?? []).compactMap { name in
            guard name.hasPrefix("audit-"), name.hasSuffix(".jsonl"), let number = Int(name.dropFirst(6).dropLast(6)),
                POSIX.name(of: path(number: number)) == name
            else { return nil }
            return number
        }.sorted()
    }

    /// The files there are, oldest first, open for reading.
    ///
    /// - Throws: `DurableFile.Unsuitable` for one that is no regular file; `SystemError`.
    package func open() throws -> [AuditReader] {
        // The newest first: where it is renamed just now, it is met again under its new name, and never missed.
        let newest = try AuditReader(current)
        var readers = try numbers().compactMap { try AuditReader(path(number: $0)) }
        if let newest, !readers.contains(where: { $0.identity == newest.identity }) { readers.append(newest) }
        return readers
    }
}

/// Reads a file of the log, line by line.
package struct AuditReader {
    package let path: String
    /// Tells the file from others, whatever its name becomes.
    let identity: UInt64
    private let file: Descriptor
    private var offset = 0
    private var buffer: [UInt8] = []
    private var start = 0
    private var number = 0

    /// A line as it is in the file, whatever it says.
    package struct Line: Sendable, Hashable {
        package var bytes: ArraySlice<UInt8>
        /// From 1.
        package var number: Int
        /// Whether a newline ends it: else its writer died, or is about to go on.
        package var isTerminated: Bool
    }

    /// - Returns: nil when there is no such file.
    init?(_ path: String) throws {
        do {
            file = try POSIX.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        } catch let error as SystemError where error.number == ENOENT {
            return nil
        }
        let status = try file.status(path)
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw DurableFile.Unsuitable(path: path, reason: "is not a regular file")
        }
        self.path = path
        identity = UInt64(status.st_ino)
    }

    /// The next line that is there by now; nil at the end.
    ///
    /// - Parameter takesPart: whether a last line without a newline is given too; it ends the reading.
    package mutating func next(takesPart: Bool) throws -> Line? {
        while true {
            if let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                number += 1
                return Line(bytes: buffer[start..<end], number: number, isTerminated: true)
            }
            let more = try file.read(path, from: offset, count: 256 << 10)
            offset += more.count
            buffer.removeFirst(start)
            start = 0
            buffer += more
            guard more.isEmpty else { continue }
            guard takesPart, !buffer.isEmpty else { return nil }
            defer { buffer = [] }
            number += 1
            return Line(bytes: buffer[...], number: number, isTerminated: false)
        }
    }
}
