import ReconcilerModel

/// The two parts of a Markdown manifest.
struct FrontMatter {
    /// Offset of the first byte after the YAML part.
    var end: Int
    /// The text below the front matter, without blank lines around it; nil if empty.
    var body: String?
    /// Position of the body's first line.
    var bodyMark: YAMLMark

    /// Whether `bytes` begin with a `---` line.
    static func begins(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        let line = rest.prefix { $0 != 0x0A && $0 != 0x0D }
        return rest.count > line.count && isFence(String(decoding: line, as: UTF8.self))
    }

    /// Splits `source`; nil, with a finding, if it has no front matter.
    init?(_ source: SourceText, _ findings: inout Findings) {
        let top = SourcePosition(source: source, mark: YAMLMark(line: 1, column: 1))
        guard Self.begins(source.bytes) else {
            findings.error(
                "no-front-matter",
                "a Markdown manifest begins with YAML between two lines '---'",
                at: top,
                suggestion: "begin the file with '---', the document, and '---'"
            )
            return nil
        }
        var number = 2
        // A line too long to show can't be a fence.
        while number <= source.lineCount, !Self.isFence(source.line(number) ?? "") { number += 1 }
        guard number <= source.lineCount, source.offset(ofLine: number) < source.bytes.count else {
            findings.error(
                "no-front-matter",
                "the front matter has no end",
                at: top,
                suggestion: "close it with a line '---'"
            )
            return nil
        }
        end = source.offset(ofLine: number)
        let bodyLine = number + 1
        let trimmed = Self.trimmed(source.bytes[source.offset(ofLine: bodyLine)...])
        body = trimmed.isEmpty ? nil : trimmed
        bodyMark = YAMLMark(line: bodyLine, column: 1)
    }

    private static func isFence(_ line: String) -> Bool {
        guard line.hasPrefix("---") else { return false }
        return line.dropFirst(3).allSatisfy { $0 == " " || $0 == "\t" }
    }

    /// `bytes` as text with plain line ends, without leading blank lines and trailing white space.
    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
        guard let first = bytes.firstIndex(where: { !isBlank($0) }), let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return "" }
        // The first line keeps its indentation.
        let start = bytes[..<first].lastIndex { $0 == 0x0A || $0 == 0x0D }.map { $0 + 1 } ?? bytes.startIndex
        return String(decoding: bytes[start...last], as: UTF8.self).replacing("\r\n", with: "\n")
    }
}
