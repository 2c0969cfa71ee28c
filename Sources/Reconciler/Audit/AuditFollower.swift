package import ReconcilerModel

/// Reads a log as it grows, over the change from one file to the next.
package struct AuditFollower {
    private let files: AuditFiles
    private var reader: AuditReader?
    private var last = 0
    /// Lines that were skipped, since no writer wrote them so.
    package private(set) var unreadable = 0

    package init(_ files: AuditFiles) { self.files = files }

    /// The lines that came since the last call; at first, all there are.
    ///
    /// - Throws: `DurableFile.Unsuitable`, `SystemError`.
    package mutating func more() throws -> [AuditLine] {
        guard reader != nil else { return try reopen() }
        let lines = try drain()
        // Only now: what came before the file was renamed is read.
        guard try AuditReader(files.current)?.identity != reader?.identity else { return lines }
        return try lines + drain() + reopen()
    }

    private mutating func reopen() throws -> [AuditLine] {
        let known = last
        var lines: [AuditLine] = []
        for next in try files.open() {
            reader = next
            lines += try drain().filter { $0.sequence > known }
        }
        return lines
    }

    private mutating func drain() throws -> [AuditLine] {
        var lines: [AuditLine] = []
        while let found = try reader?.next(takesPart: false) {
            guard let line = AuditLine(found.bytes) else {
                unreadable += 1
                continue
            }
            last = max(last, line.sequence)
            lines.append(line)
        }
        return lines
    }
}
