import ReconcilerModel

/// The two parts of a Markdown manifest.
struct FrontMatter {
    /// Offset of the first byte after the YAML.
    var end: Int
    /// The text below, without blank lines around it; nil when there is none.
    var body: String?
    /// Where the body begins.
    var bodyMark: YAMLMark

    /// Whether `bytes` begin with a line `---`.
    static func begins(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        let line = rest.prefix { $0 != 0x0A && $0 != 0x0D }
        return rest.count > line.count && isFence(String(decoding: line, as: UTF8.self))
    }

    /// Splits `source`; nil, with a finding, when it has no front matter.
    init?(_ source: SourceText, _ findings: inout Findings) {
        let top = Place(source: source, mark: YAMLMark(line: 1, column: 1))
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
        while number <= source.lineCount, let line = source.line(number), !Self.isFence(line) { number += 1 }
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
        let text = String(decoding: source.bytes[source.offset(ofLine: bodyLine)...], as: UTF8.self)
        let trimmed = Self.trimmed(text)
        body = trimmed.isEmpty ? nil : trimmed
        bodyMark = YAMLMark(line: bodyLine, column: 1)
    }

    private static func isFence(_ line: String) -> Bool {
        guard line.hasPrefix("---") else { return false }
        return line.dropFirst(3).allSatisfy { $0 == " " || $0 == "\t" }
    }

    /// `text` without blank lines before and white space after.
    private static func trimmed(_ text: String) -> String {
        var lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        func isBlank(_ line: Substring) -> Bool { line.allSatisfy(\.isWhitespace) }
        while let first = lines.first, isBlank(first) { lines.removeFirst() }
        while let last = lines.last, isBlank(last) { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}
