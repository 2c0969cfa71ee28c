import ReconcilerManifest
import ReconcilerModel
import Testing

@Suite struct DiagnosticPrinterTests {
    private func diagnostic(_ snippet: String, column: Int, message: String = "wrong", suggestion: String? = nil)
        -> Diagnostic
    {
        Diagnostic(
            code: "bad",
            message: message,
            location: SourceLocation(file: "a.yaml", line: 12, column: column),
            snippet: snippet,
            suggestion: suggestion
        )
    }

    @Test("A diagnostic shows place, line, caret and suggestion")
    func plain() {
        let text = DiagnosticPrinter().text([
            diagnostic("  egres: {}", column: 3, suggestion: "did you mean 'egress'?\nsecond line")
        ])
        #expect(
            text == """
                a.yaml:12:3: error: wrong [bad]
                  12 |   egres: {}
                     |   ^
                  help: did you mean 'egress'?
                        second line

                1 error

                """
        )
    }

    @Test(
        "The caret stands under its character whatever comes before",
        arguments: [
            ("\tab", 3, "     |   ^"), ("漢字ab", 4, "     |      ^"), ("\u{202E}ab", 2, "     |         ^"),
            ("ab", 9, "     |   ^"),
        ]
    )
    func caret(_ snippet: String, _ column: Int, _ line: String) {
        let lines = DiagnosticPrinter().text(diagnostic(snippet, column: column)).split(separator: "\n").map(
            String.init
        )
        #expect(lines[2] == line)
    }

    @Test("Control and bidirectional characters are shown as escapes everywhere")
    func escapes() {
        let evil = "\u{1B}[2J\u{202E}\u{7}\u{9B}\r"
        let text = DiagnosticPrinter().text(diagnostic("x" + evil, column: 1, message: evil, suggestion: evil))
        #expect(
            !text.unicodeScalars.contains {
                ($0.value < 0x20 && $0 != "\n") || [0x7F, 0x9B, 0x202E].contains($0.value)
            }
        )
        #expect(text.contains("\\u{1b}[2J\\u{202e}\\u{7}\\u{9b}\\u{d}"))
    }

    @Test("A long line is cut around the caret")
    func long() {
        let lines = DiagnosticPrinter(width: 40).text(
            diagnostic(String(repeating: "a", count: 500) + "X" + String(repeating: "b", count: 500), column: 501)
        )
        .split(separator: "\n").map { Array($0) }
        #expect(lines[1].count < 60)
        #expect(lines[1][lines[2].firstIndex(of: "^") ?? 0] == "X")
    }

    @Test("Colour is only there when asked for")
    func color() {
        let finding = diagnostic("a", column: 1)
        #expect(!DiagnosticPrinter().text(finding).contains("\u{1B}"))
        #expect(DiagnosticPrinter(isColored: true).text(finding).contains("\u{1B}[31;1merror\u{1B}[0m"))
    }

    @Test("A file of mistakes is listed up to a bound and counted")
    func many() {
        let reading = read(bottle((0..<500).map { "k\($0): 1" }.joined(separator: "\n")))
        #expect(reading.diagnostics.count == 201)
        #expect(reading.diagnostics.last?.message == "and 300 more problems")
    }
}
