import CYAML
import ReconcilerModel

/// Builds trees with positions from libyaml's events.
enum YAMLParser {
    /// Reads every document of `source` that begins before byte `end` (nil for all).
    ///
    /// Reports duplicate keys, unknown aliases, unknown tags and exceeded `limits`. After a syntax error it still
    /// returns the documents before it, so that their mistakes are shown too.
    static func documents(
        of source: SourceText,
        upTo end: Int? = nil,
        limits: YAMLLimits,
        findings: inout Findings
    ) -> [YAMLNode] {
        let bytes = source.bytes[..<(end ?? source.bytes.count)]
        guard !refusesDirectives(source, upTo: bytes.endIndex, findings: &findings) else { return [] }
        var builder = YAMLTreeBuilder(source: source, limits: limits)
        // The parser contains pointers into itself, so it must not move.
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { unsafe parser.deallocate() }
        guard unsafe yaml_parser_initialize(parser) == 1 else {
            findings.add(Diagnostic(code: "out-of-memory", message: "no memory for the YAML parser"))
            return []
        }
        defer { unsafe yaml_parser_delete(parser) }
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
            unsafe yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
            unsafe run(parser, into: &builder)
        }
        findings.append(builder.findings)
        return builder.documents
    }

    private static func run(_ parser: UnsafeMutablePointer<yaml_parser_t>, into builder: inout YAMLTreeBuilder) {
        while true {
            var event = unsafe yaml_event_t()
            guard unsafe yaml_parser_parse(parser, &event) == 1 else {
                unsafe builder.syntaxError(parser.pointee)
                return
            }
            defer { unsafe yaml_event_delete(&event) }
            if unsafe event.type == YAML_STREAM_END_EVENT { return }
            guard unsafe builder.handle(event) else { return }
        }
    }

    /// Refuses tag directives: libyaml compares each with all before it, and manifests have no use for them.
    private static func refusesDirectives(_ source: SourceText, upTo end: Int, findings: inout Findings) -> Bool {
        for number in 1...max(1, source.lineCount) {
            let start = source.offset(ofLine: number)
            guard start < end else { break }
            guard source.bytes[start] == UInt8(ascii: "%"), source.bytes[start...].starts(with: "%TAG".utf8) else {
                continue
            }
            let position = SourcePosition(source: source, mark: YAMLMark(line: number, column: 1))
            findings.error(
                "unsupported-yaml",
                "tag directives are not supported",
                at: position,
                suggestion: "remove this line"
            )
            return true
        }
        return false
    }
}

extension YAMLMark {
    init(_ mark: yaml_mark_t) {
        self.init(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }
}
