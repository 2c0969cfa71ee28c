import ReconcilerPlatform
import Testing

@Suite("JSON")
struct JSONCodecTests {
    private static func read(_ text: String) -> JSONNode? { try? JSONReader.read(Array(text.utf8)) }

    @Test("is read with surrogate pairs, and never with half of one")
    func surrogates() {
        #expect(Self.read(#""\ud83d\ude00\u00e9""#) == .text("😀é"))
        #expect(Self.read(#""\uD83D\uDE00""#) == .text("😀"))
        for half in [#""\ud83d""#, #""\ud83dx""#, #""\ud83d\u0041""#, #""\ude00\ud83d""#, #""\ud83d\ud83d\ude00""#] {
            #expect(Self.read(half) == nil, "\(half)")
        }
    }

    @Test("reads what it writes", arguments: ["", "a\"\\/\n\r\t\u{0}\u{7F}\u{85}", "é漢😀\u{2028}\u{10FFFF}"])
    func roundTrip(_ text: String) throws {
        let node = JSONNode.object(["a": .text(text), text + "b": .list([.null, .boolean(true), .integer(-4)])])
        #expect(Self.read(node.line) == node)
        #expect(Self.read(node.asciiLine) == node)
        #expect(node.asciiLine.utf8.allSatisfy { (0x20...0x7E).contains($0) })
    }

    @Test("is bounded")
    func bounds() {
        let long = "[" + String(repeating: "0,", count: 20_000) + "0]"
        #expect(Self.read(long) == nil)
        #expect((try? JSONReader.read(Array(long.utf8), valueLimit: .max)) != nil)
        #expect(Self.read(String(repeating: "[", count: 33) + String(repeating: "]", count: 33)) == nil)
    }

    @Test("is flat where a line must be: texts and whole numbers, in ASCII, each name once")
    func flat() {
        #expect(
            FlatJSON.read(#"{"a": "x\u000a\ud83d\ude00" , "b":17}"#.utf8) == ["a": .text("x\n😀"), "b": .number(17)]
        )
        #expect(FlatJSON.read("{}\r".utf8) == [:])
        #expect(FlatJSON.read(#"{"a":"\ud800x\ude00"}"#.utf8) == ["a": .text("\u{FFFD}x\u{FFFD}")])
        for line in [
            "", "[]", #""a""#, #"{"a":1.5}"#, #"{"a":-1}"#, #"{"a":1e3}"#, #"{"a":true}"#, #"{"a":null}"#, #"{"a":[]}"#,
            #"{"a":{}}"#, #"{"a":1,"a":2}"#, #"{"a":1}{}"#, "{\"a\":1\n}", #"{"a":"é"}"#, "{\"a\":\"\t\"}",
            "{\"a\":\"\u{7F}\"}", #"{"a":1234567890123456789}"#, #"{"a":1,}"#,
            "{" + (0..<17).map { "\"\($0)\":1" }.joined(separator: ",") + "}",
        ] {
            #expect(FlatJSON.read(line.utf8) == nil, "\(line)")
        }
        let line = FlatJSON.line([("b", .number(-4)), ("a", .text("\"\\\n\u{7F}é😀"))])
        #expect(line == #"{"b":-4,"a":"\"\\\u000a\u007f\u00e9\ud83d\ude00"}"#)
    }
}
