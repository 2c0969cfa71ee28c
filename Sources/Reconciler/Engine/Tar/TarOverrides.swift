import ReconcilerTime

/// The values of extension headers for the entry that follows them.
struct TarOverrides: Sendable, Hashable {
    var path: String?
    var linkPath: String?
    var size: Int64?
    var uid: Int64?
    var gid: Int64?
    var modifiedAt: Timestamp?

    var isEmpty: Bool { self == TarOverrides() }

    /// Applies the content of an extension header of this type.
    mutating func apply(_ type: UInt8, _ content: [UInt8]) throws(EngineError) {
        switch type {
        case UInt8(ascii: "L"): path = try TarHeader.text(content[...])
        case UInt8(ascii: "K"): linkPath = try TarHeader.text(content[...])
        // Concerns all following entries; nothing in it matters here.
        case UInt8(ascii: "g"): break
        default: try applyRecords(content[...])
        }
    }

    private mutating func applyRecords(_ records: ArraySlice<UInt8>) throws(EngineError) {
        var rest = records
        while !rest.isEmpty {
            guard let blank = rest.prefix(20).firstIndex(of: 0x20),
                let length = Int(String(decoding: rest[..<blank], as: UTF8.self)),
                length > blank - rest.startIndex + 2, length <= rest.count,
                rest[rest.startIndex + length - 1] == 0x0A
            else { throw .archive("a PAX record is broken") }
            let record = rest[(blank + 1)..<(rest.startIndex + length - 1)]
            rest = rest.dropFirst(length)
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
                throw .archive("a PAX record is broken")
            }
            let value = record[(equals + 1)...]
            guard !value.contains(0), let text = String(validating: value, as: UTF8.self) else {
                throw .archive("a PAX record's value is not text")
            }
            try apply(String(decoding: record[..<equals], as: UTF8.self), text)
        }
    }

    private mutating func apply(_ key: String, _ value: String) throws(EngineError) {
        func number() throws(EngineError) -> Int64 {
            guard let number = Int64(value), number >= 0 else {
                throw .archive("a PAX record's \(key) is not a number: '\(value)'")
            }
            return number
        }
        switch key {
        case "path": path = value
        case "linkpath": linkPath = value
        case "size": size = try number()
        case "uid": uid = try number()
        case "gid": gid = try number()
        case "mtime":
            guard let time = Timestamp(decimal: value) else {
                throw .archive("a PAX record's mtime is not a time: '\(value)'")
            }
            modifiedAt = time
        case _ where key.hasPrefix("GNU.sparse."): throw .archive("sparse files are not read")
        default: break
        }
    }
}
