import ReconcilerModel
import ReconcilerPlatform

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The end of a file of the log: its last whole line, and what a dead writer left after it.
struct AuditTail {
    /// nil: no line of the file is whole.
    var last: AuditLine?
    /// What stands after the last whole line, without a newline at its end.
    var rest: [UInt8] = []
    /// Whether the file ends in the middle of a line, whole or not.
    var needsNewline = false
    /// Bytes of the file.
    var size = 0

    var isClean: Bool { rest.isEmpty && !needsNewline }

    /// The line that sets `rest` aside.
    var tornLine: AuditEntry {
        var details = AuditDetails()
        details.torn = AuditDetails.Torn(
            bytes: rest.count,
            sha256: ContentDigest(of: rest).hex,
            text: AuditText.bounded(String(decoding: rest, as: UTF8.self), 4096)
        )
        return AuditEntry(.tornLine, details: details)
    }

    /// How much of a file's end is looked at before it counts as damaged; a line is far shorter.
    private static let reach = 4 << 20

    /// Looks at the end of a file.
    ///
    /// - Throws: `BottleError` `audit-damaged` when no whole line is anywhere near it.
    static func read(_ file: Descriptor, _ path: String) throws -> AuditTail {
        var tail = AuditTail()
        tail.size = Int(try file.status(path).st_size)
        guard tail.size > 0 else { return tail }
        var window = 64 << 10
        while true {
            let start = max(0, tail.size - window)
            let bytes = try file.read(path, from: start, count: tail.size - start)
            if tail.take(bytes[...], isFromStart: start == 0) { return tail }
            guard window < reach else { throw damage(path) }
            window = reach
        }
    }

    static func damage(_ path: String) -> BottleError {
        BottleError(
            .auditDamaged,
            "the audit log does not end in anything that bottle wrote, so it can't go on from there",
            at: path,
            remedy: "see `bottle audit verify`; restore the file from a backup, or move it away: the gap stays visible"
        )
    }

    /// - Returns: whether that was enough to find the last whole line, or to know that there is none.
    private mutating func take(_ bytes: ArraySlice<UInt8>, isFromStart: Bool) -> Bool {
        let newline = UInt8(ascii: "\n")
        needsNewline = bytes.last != newline
        let text = needsNewline ? bytes : bytes.dropLast()
        var end = text.endIndex
        while true {
            let start = text[..<end].lastIndex(of: newline).map { $0 + 1 }
            // What the window cuts off may be the end of a longer line.
            guard let first = start ?? (isFromStart ? text.startIndex : nil) else { return false }
            if let line = AuditLine(text[first..<end]) {
                last = line
                rest = end < text.endIndex ? Array(text[(end + 1)...]) : []
                return true
            }
            guard first > text.startIndex else { break }
            end = first - 1
        }
        guard isFromStart else { return false }
        last = nil
        rest = Array(text)
        return true
    }
}

extension Descriptor {
    /// Reads `count` bytes from `offset` on, fewer where the file ends.
    func read(_ path: String, from offset: Int, count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let taken = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(number, buffer.baseAddress?.advanced(by: done), count - done, off_t(offset + done))
            }
            if taken < 0, errno == EINTR { continue }
            guard taken >= 0 else { throw SystemError("read", path, errno) }
            guard taken > 0 else { break }
            done += taken
        }
        bytes.removeLast(count - done)
        return bytes
    }
}
