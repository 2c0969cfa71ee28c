import ReconcilerTime

/// The raw fields of a header in an archive.
struct TarHeader {
    let type: UInt8
    let size: Int64
    private let block: [UInt8]

    /// Parses the header in a block of 512 bytes; throws if its checksum or size is wrong.
    init(_ block: [UInt8]) throws(EngineError) {
        self.block = block
        type = block[TarLayout.type]
        let signed = block.enumerated().reduce(0) { sum, element in
            sum + (TarLayout.checksum.contains(element.offset) ? 0x20 : Int(Int8(bitPattern: element.element)))
        }
        let sum = try Self.number(block[TarLayout.checksum])
        guard sum == Int64(TarLayout.sum(block)) || sum == Int64(signed) else {
            throw .archive("not a tar header: its checksum is wrong")
        }
        size = try Self.number(block[TarLayout.size])
        guard size >= 0 else { throw .archive("an entry has a negative size") }
    }

    /// Whether the content describes the next entry instead of being an entry.
    var isExtension: Bool { "xgLK".utf8.contains(type) }

    /// The entry, with the values that extension headers gave for it.
    func entry(_ overrides: TarOverrides) throws(EngineError) -> TarEntry {
        let written = try either(overrides.path, path)
        let target = try either(overrides.linkPath) { () throws(EngineError) in
            try Self.text(block[TarLayout.linkName])
        }
        let kind: TarEntry.Kind =
            switch type {
            case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): written.hasSuffix("/") ? .folder : .file
            case UInt8(ascii: "1"): .hardLink(target: try Self.normalized(target))
            case UInt8(ascii: "2"): .symbolicLink(target: target)
            case UInt8(ascii: "5"): .folder
            case UInt8(ascii: "S"): throw .archive("sparse files are not read")
            default: .other(type)
            }
        var size: Int64 = 0
        switch kind {
        case .file: size = overrides.size ?? self.size
        case .other(let type) where !(UInt8(ascii: "3")...UInt8(ascii: "6")).contains(type):
            // Its content must be skipped, or else it would be read as headers.
            size = overrides.size ?? self.size
        default: break
        }
        return TarEntry(
            path: try Self.normalized(written),
            kind: kind,
            mode: UInt32(truncatingIfNeeded: try Self.number(block[TarLayout.mode])) & 0o7777,
            uid: try either(overrides.uid) { () throws(EngineError) in try Self.number(block[TarLayout.uid]) },
            gid: try either(overrides.gid) { () throws(EngineError) in try Self.number(block[TarLayout.gid]) },
            size: size,
            modifiedAt: try either(overrides.modifiedAt) { () throws(EngineError) in
                Timestamp(seconds: try Self.number(block[TarLayout.modifiedAt]))
            }
        )
    }

    /// The extension header's value if there is one, else this header's.
    private func either<Value>(
        _ override: Value?,
        _ own: () throws(EngineError) -> Value
    ) throws(EngineError) -> Value {
        if let override { return override }
        return try own()
    }

    private func path() throws(EngineError) -> String {
        let name = try Self.text(block[TarLayout.name])
        guard block[TarLayout.magic].starts(with: Array("ustar\u{0}".utf8)) else { return name }
        let prefix = try Self.text(block[TarLayout.prefix])
        return prefix.isEmpty ? name : "\(prefix)/\(name)"
    }

    /// The path without `.` parts and trailing slashes; throws for one that leaves the root.
    private static func normalized(_ path: String) throws(EngineError) -> String {
        let parts = path.split(separator: "/").filter { $0 != "." }
        guard !path.hasPrefix("/"), !parts.contains(".."), !path.isEmpty else {
            throw .archive("'\(path)' is not a path inside the archive")
        }
        return parts.joined(separator: "/")
    }

    /// The text up to the first NUL.
    static func text(_ field: ArraySlice<UInt8>) throws(EngineError) -> String {
        guard let text = String(validating: field.prefix { $0 != 0 }, as: UTF8.self) else {
            throw .archive("a name is not UTF-8")
        }
        return text
    }

    /// A number in octal with surrounding blanks and NULs, or in GNU's binary form.
    private static func number(_ field: ArraySlice<UInt8>) throws(EngineError) -> Int64 {
        guard let first = field.first else { return 0 }
        if first & 0x80 != 0 {
            var value: Int64 = (first & 0x40 != 0 ? -1 : 0) << 6 | Int64(first & 0x3F)
            for byte in field.dropFirst() {
                let (shifted, overflow) = value.multipliedReportingOverflow(by: 256)
                guard !overflow else { throw .archive("a number in a header is too large") }
                value = shifted | Int64(byte)
            }
            return value
        }
        let digits = field.drop { $0 == 0x20 || $0 == 0 }.prefix { $0 != 0x20 && $0 != 0 }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x37).contains(digit) else { throw .archive("not a tar header: a number is not octal") }
            value = value << 3 | Int64(digit - 0x30)
        }
        return value
    }
}
