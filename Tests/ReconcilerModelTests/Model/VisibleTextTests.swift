import ReconcilerModel
import Testing

@Suite("Visible text") struct VisibleTextTests {
    @Test(
        "escapes what steers, hides, reorders or covers other text",
        arguments: [
            ("\u{1B}[2J", #"\u{1b}[2J"#), ("\u{9B}31m", #"\u{9b}31m"#), ("a\tb\rc\nd", #"a\u{9}b\u{d}c\u{a}d"#),
            ("\u{202E}x\u{2066}", #"\u{202e}x\u{2066}"#), ("\u{2028}\u{2029}", #"\u{2028}\u{2029}"#),
            ("\u{200B}\u{FEFF}\u{AD}", #"\u{200b}\u{feff}\u{ad}"#), ("\u{E000}\u{378}", #"\u{e000}\u{378}"#),
            ("\u{115F}\u{1160}\u{3164}\u{FFA0}", #"\u{115f}\u{1160}\u{3164}\u{ffa0}"#), ("\u{2800}", #"\u{2800}"#),
            ("\u{34F}\u{180B}\u{17B4}", #"\u{34f}\u{180b}\u{17b4}"#), ("\u{E0041}\u{E0100}", #"\u{e0041}\u{e0100}"#),
            ("\u{2764}\u{FE0F}", #"\#u{2764}\u{fe0f}"#),
            ("\u{1F469}\u{200D}\u{1F4BB}", #"\#u{1F469}\u{200d}\#u{1F4BB}"#),
            ("a\u{A0}b\u{2003}c\u{3000}", #"a\u{a0}b\u{2003}c\u{3000}"#),
            ("\u{301}a", #"\u{301}a"#), (" \u{301}", #" \u{301}"#), ("1\u{20E3}", #"1\u{20e3}"#),
            ("a\u{301}\u{301}\u{301}\u{301}\u{301}", #"a\#u{301}\#u{301}\#u{301}\#u{301}\u{301}"#),
        ]
    )
    func escapes(_ text: String, _ shown: String) {
        #expect(VisibleText.line(text).unicodeScalars.elementsEqual(shown.unicodeScalars))
    }

    @Test(
        "leaves ordinary text readable",
        arguments: ["café cafe\u{301}", "हिन्दी में", "ภาษาไทยที่นี่", "שָׁלוֹם", "Tiếng Việt", "漢字 ひらがな 한국어", "a – “b” € 😀"]
    )
    func readable(_ text: String) {
        #expect(VisibleText.line(text).unicodeScalars.elementsEqual(text.unicodeScalars))
        #expect(VisibleText.document("{\"a\": \"\(text)\"}") == "{\"a\": \"\(text)\"}")
    }

    @Test("is bounded, and says where something was cut off")
    func bounds() {
        #expect(VisibleText.line("abcdef", limit: 3) == "abc…")
        #expect(VisibleText.line("abc", limit: 3) == "abc")
        #expect(VisibleText.block("a\nb\u{7}\nc", limit: 4) == "a\nb\\u{7}…")
        #expect(VisibleText.lines("a\nb\u{7}", indent: "  ") == "a\n  b\\u{7}")
        #expect(VisibleText.ascii("é…x", limit: 40) == "\\u{e9}...x")
        #expect(VisibleText.ascii("abcdef", limit: 5) == "ab...")
    }

    @Test("escapes in a document as its format does")
    func documents() {
        #expect(VisibleText.document("\"\u{E0041}\u{301}\"\n") == "\"\\udb40\\udc41\\u0301\"\n")
        #expect(VisibleText.document("\"\u{E0041}\"", isYAML: true) == "\"\\U000e0041\"")
    }
}
