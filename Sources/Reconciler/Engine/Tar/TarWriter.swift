import ReconcilerTime

/// Writes tar archives: ustar headers, PAX records for what doesn't fit into ustar.
///
/// Deterministic: the same entries give the same bytes. Times keep their nanoseconds.
package struct TarWriter: Sendable {
    private var bytes: [UInt8] = []

    /// An empty archive.
    package init() {}

    /// Adds a file with its content; computes the entry's `size` from the content.
    package mutating func add(_ entry: TarEntry, content: [UInt8] = []) throws(EngineError) {
        var entry = entry
        if case .file = entry.kind {
            entry.size = Int64(content.count)
        } else if !content.isEmpty {
            throw .archive("'\(entry.path)' has content and is not a file")
        }
        bytes.append(contentsOf: try Self.header(of: entry))
        bytes.append(contentsOf: content)
        bytes.append(contentsOf: repeatElement(0, count: TarLayout.padding(entry.size)))
    }

    /// The archive with its end mark.
    package consuming func finish() -> [UInt8] {
        bytes.append(contentsOf: Self.trailer)
        return bytes
    }

    // MARK: - For archives that are too large to hold

    /// The bytes before an entry's content; exactly `size` bytes of content and `padding(of:)` must follow.
    package static func header(of entry: TarEntry) throws(EngineError) -> [UInt8] {
        var path = try checked(entry.path)
        var size = entry.size
        var target = ""
        let type: Character
        switch entry.kind {
        case .file: type = "0"
        case .folder: (type, path, size) = ("5", path + "/", 0)
        case .symbolicLink(let text): (type, target, size) = ("2", text, 0)
        case .hardLink(let text): (type, target, size) = ("1", try checked(text), 0)
        case .other(let byte): throw .archive("'\(path)' is of a kind (\(byte)) that is not written")
        }
        guard !target.utf8.contains(0), size >= 0, entry.uid >= 0, entry.gid >= 0 else {
            throw .archive("'\(path)' has a link target, size or owner that can't be written")
        }
        let records = self.records(of: entry, path: path, target: target, size: size)
        var header: [UInt8] = []
        if !records.isEmpty {
            // A reader without PAX sees this name, so it must differ from the entry's own.
            let paxName = "PaxHeaders/\(path.split(separator: "/").last ?? "")"
            header += block(path: paxName, target: "", type: "x", mode: 0o644, size: Int64(records.count))
            header += records
            header += repeatElement(0, count: TarLayout.padding(Int64(records.count)))
        }
        header += block(
            path: path,
            target: target,
            type: type,
            mode: entry.mode & 0o7777,
            size: size,
            uid: entry.uid,
            gid: entry.gid,
            seconds: entry.modifiedAt.seconds
        )
        return header
    }

    /// The bytes after content of `size` bytes.
    package static func padding(of size: Int64) -> [UInt8] {
        [UInt8](repeating: 0, count: TarLayout.padding(size))
    }

    /// The bytes at the end of an archive.
    package static let trailer = [UInt8](repeating: 0, count: 2 * TarLayout.block)

    /// The path, if it is valid inside an archive; else throws.
    private static func checked(_ path: String) throws(EngineError) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.utf8.contains(0), parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            throw .archive("'\(path)' is not a plain relative path")
        }
        return path
    }

    /// The PAX records for what doesn't fit into the header, sorted by key.
    private static func records(of entry: TarEntry, path: String, target: String, size: Int64) -> [UInt8] {
        var records: [UInt8] = []
        func fits(_ text: String) -> Bool {
            text.utf8.count <= TarLayout.name.count && text.utf8.allSatisfy { $0 < 0x80 }
        }
        if entry.gid > 0o7777777 { records += record("gid", String(entry.gid)) }
        if !fits(target) { records += record("linkpath", target) }
        let time = entry.modifiedAt
        if time.nanoseconds != 0 || time.seconds < 0 || time.seconds > 0o777_7777_7777 {
            records += record("mtime", time.decimalText)
        }
        if !fits(path) { records += record("path", path) }
        if size > 0o777_7777_7777 { records += record("size", String(size)) }
        if entry.uid > 0o7777777 { records += record("uid", String(entry.uid)) }
        return records
    }

    /// A PAX record: its own length in decimal, the key, the value.
    private static func record(_ key: String, _ value: String) -> [UInt8] {
        let rest = " \(key)=\(value)\n"
        var length = rest.utf8.count
        while String(length).utf8.count + rest.utf8.count != length {
            length = String(length).utf8.count + rest.utf8.count
        }
        return Array("\(length)\(rest)".utf8)
    }

    private static func block(
        path: String,
        target: String,
        type: Character,
        mode: UInt32,
        size: Int64,
        uid: Int64 = 0,
        gid: Int64 = 0,
        seconds: Int64 = 0
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: TarLayout.block)
        func put(_ text: some Sequence<UInt8>, _ field: Range<Int>) {
            for (offset, byte) in zip(field, text) { header[offset] = byte }
        }
        /// Zero-padded octal with a final NUL; 0 if a PAX record contains the value.
        func octal(_ value: Int64, _ field: Range<Int>) {
            let digits = String(value, radix: 8)
            let fits = value >= 0 && digits.utf8.count < field.count
            let text = fits ? digits : "0"
            put(Array((String(repeating: "0", count: field.count - 1 - text.utf8.count) + text).utf8), field)
        }
        // ASCII stand-ins for names that are in a PAX record.
        put(path.utf8.map { $0 < 0x80 ? $0 : UInt8(ascii: "_") }, TarLayout.name)
        octal(Int64(mode), TarLayout.mode)
        octal(uid, TarLayout.uid)
        octal(gid, TarLayout.gid)
        octal(size, TarLayout.size)
        octal(seconds, TarLayout.modifiedAt)
        header[TarLayout.type] = type.asciiValue ?? 0
        put(target.utf8.map { $0 < 0x80 ? $0 : UInt8(ascii: "_") }, TarLayout.linkName)
        put("ustar\u{0}00".utf8, TarLayout.magic)
        let sum = String(TarLayout.sum(header), radix: 8)
        put(Array((String(repeating: "0", count: 6 - sum.utf8.count) + sum + "\u{0} ").utf8), TarLayout.checksum)
        return header
    }
}

extension Timestamp {
    /// The form of a PAX record: decimal seconds, with a fraction only if there is one.
    var decimalText: String {
        // A PAX fraction counts away from zero, ours upwards.
        let isShifted = seconds < 0 && nanoseconds > 0
        let whole = isShifted ? seconds + 1 : seconds
        let rest = isShifted ? 1_000_000_000 - nanoseconds : nanoseconds
        let sign = isShifted && whole == 0 ? "-" : ""
        guard rest != 0 else { return "\(whole)" }
        let digits = String(rest)
        return "\(sign)\(whole).\(String(repeating: "0", count: 9 - digits.utf8.count))\(digits)"
    }

    /// Parses a PAX record's text; nil if it is not a time.
    init?(decimal text: some StringProtocol) {
        let isNegative = text.hasPrefix("-")
        let parts = text.drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = Int64(parts[0]), whole >= 0, whole < 1 << 40 else {
            return nil
        }
        let digits = parts.count == 2 ? parts[1].prefix(9) : ""
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let padded = digits + String(repeating: "0", count: 9 - digits.utf8.count)
        guard let nanoseconds = Int64(padded) else { return nil }
        if isNegative {
            self.init(
                seconds: nanoseconds == 0 ? -whole : -whole - 1,
                nanoseconds: nanoseconds == 0 ? 0 : 1_000_000_000 - nanoseconds
            )
        } else {
            self.init(seconds: whole, nanoseconds: nanoseconds)
        }
    }
}
