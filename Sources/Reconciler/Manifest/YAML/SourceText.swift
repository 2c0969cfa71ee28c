import ReconcilerModel

/// A text that a person wrote, with its name and the offsets of its lines.
///
/// The text is valid UTF-8 without a byte order mark; `SourceText.read` checks that.
package final class SourceText: Sendable {
    package let name: String
    let bytes: [UInt8]
    /// Offset of the first byte of each line.
    private let lineStarts: [UInt32]

    init(name: String, bytes: [UInt8], lineStarts: [UInt32]) {
        self.name = name
        self.bytes = bytes
        self.lineStarts = lineStarts
    }

    func location(_ mark: YAMLMark) -> SourceLocation {
        SourceLocation(file: name, line: mark.line, column: mark.column)
    }

    /// The line at `number` (from 1) without its line break; nil past the end, and for a line too long to show.
    func line(_ number: Int) -> String? {
        guard number >= 1, number <= lineStarts.count else { return nil }
        let start = Int(lineStarts[number - 1])
        var end = number < lineStarts.count ? Int(lineStarts[number]) : bytes.count
        while end > start, bytes[end - 1] == 0x0A || bytes[end - 1] == 0x0D { end -= 1 }
        guard end - start <= Self.longestLine else { return nil }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// Diagnostics carry their line; don't let each of them carry a huge one.
    private static let longestLine = 65_536

    /// The offset of the first byte of line `number` (from 1); past the last line, the end of the text.
    func offset(ofLine number: Int) -> Int {
        number <= lineStarts.count ? Int(lineStarts[max(number, 1) - 1]) : bytes.count
    }

    var lineCount: Int { lineStarts.count }
}

extension SourceText {
    /// Checks `bytes` and finds their lines.
    ///
    /// Reports a text that is too large, that is not UTF-8, or that contains characters which YAML forbids or which
    /// show a reviewer something else than the program reads: control characters, Unicode line separators,
    /// bidirectional overrides. Drops a leading UTF-8 byte order mark.
    ///
    /// - Returns: nil if the text can't be read at all. A text with forbidden characters is reported and still
    ///   returned.
    static func read(name: String, bytes: [UInt8], limit: Int, findings: inout Findings) -> SourceText? {
        func refuse(_ code: String, _ message: String, _ suggestion: String, line: Int = 1, column: Int = 1) {
            findings.add(
                Diagnostic(
                    code: code,
                    message: message,
                    location: SourceLocation(file: name, line: line, column: column),
                    suggestion: suggestion
                )
            )
        }
        guard bytes.count <= limit else {
            refuse(
                "too-large",
                "the file has more than \(limit) bytes",
                "a manifest is small: move long texts to files that it names"
            )
            return nil
        }
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            refuse("not-utf8", "the file is UTF-16 text", "save it as UTF-8")
            return nil
        }
        let body = start == 0 ? bytes : Array(bytes[start...])
        var scan = CharacterScan()
        scan.run(over: body)
        let text = SourceText(name: name, bytes: body, lineStarts: scan.lineStarts)
        if let bad = scan.invalid {
            let mark = text.mark(ofByte: bad)
            refuse(
                "not-utf8",
                "this byte is not UTF-8 text",
                "save the file as UTF-8",
                line: mark.line,
                column: mark.column
            )
            return nil
        }
        for (offset, scalar) in scan.forbidden {
            let mark = text.mark(ofByte: offset)
            findings.add(
                Diagnostic(
                    code: "forbidden-character",
                    message: "the character U+\(hexadecimal(scalar)) may not stand in a manifest",
                    location: text.location(mark),
                    snippet: text.line(mark.line),
                    suggestion: "remove it, or write it as an escape in a \"double-quoted\" text"
                )
            )
        }
        return text
    }

    /// The line and column of the byte at `offset`.
    func mark(ofByte offset: Int) -> YAMLMark {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if Int(lineStarts[middle]) <= offset { low = middle } else { high = middle }
        }
        let before = bytes[Int(lineStarts[low])..<offset]
        return YAMLMark(line: low + 1, column: before.count { $0 & 0xC0 != 0x80 } + 1)
    }
}

/// `scalar` as at least four uppercase hexadecimal digits.
func hexadecimal(_ scalar: UInt32) -> String {
    let digits = String(scalar, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}

/// One pass over a text: the starts of its lines, the first byte that is not UTF-8, forbidden characters.
private struct CharacterScan {
    var lineStarts: [UInt32] = [0]
    var invalid: Int?
    /// Byte offsets and scalars of the first few forbidden characters.
    var forbidden: [(Int, UInt32)] = []

    mutating func run(over bytes: [UInt8]) {
        var index = 0
        let count = bytes.count
        while index < count {
            let byte = bytes[index]
            if byte >= 0x20, byte < 0x7F {
                index += 1
                continue
            }
            if byte < 0x80 {
                ascii(byte, at: index, next: index + 1 < count ? bytes[index + 1] : 0)
                index += 1
                continue
            }
            guard let (scalar, length) = Self.decode(bytes, at: index) else {
                invalid = index
                return
            }
            if Self.isForbidden(scalar) { refuse(scalar, at: index) }
            index += length
        }
    }

    private mutating func ascii(_ byte: UInt8, at index: Int, next: UInt8) {
        switch byte {
        case 0x09: break
        case 0x0A: lineStarts.append(UInt32(index + 1))
        case 0x0D: if next != 0x0A { lineStarts.append(UInt32(index + 1)) }
        default: refuse(UInt32(byte), at: index)
        }
    }

    private mutating func refuse(_ scalar: UInt32, at index: Int) {
        if forbidden.count < 20 { forbidden.append((index, scalar)) }
    }

    /// The scalar at `index` and its length in bytes; nil if the bytes are not shortest-form UTF-8.
    private static func decode(_ bytes: [UInt8], at index: Int) -> (UInt32, Int)? {
        let first = bytes[index]
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard (0xC2...0xF4).contains(first), index + length <= bytes.count else { return nil }
        var scalar = UInt32(first) & (0x7F >> UInt32(length))
        for offset in 1..<length {
            guard bytes[index + offset] & 0xC0 == 0x80 else { return nil }
            scalar = scalar << 6 | UInt32(bytes[index + offset] & 0x3F)
        }
        let least: UInt32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000
        guard scalar >= least, Unicode.Scalar(scalar) != nil else { return nil }
        return (scalar, length)
    }

    /// C1 controls (with NEL), line and paragraph separators, bidirectional overrides and isolates, a byte order mark
    /// inside the text, and noncharacters.
    private static func isForbidden(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x80...0x9F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF, 0xFFFE, 0xFFFF: true
        default: false
        }
    }
}
