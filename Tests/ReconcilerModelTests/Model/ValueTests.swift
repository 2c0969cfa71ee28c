import ReconcilerModel
import Testing

/// Texts that cross a boundary become values, or are refused.
@Suite("values")
struct ValueTests {
    @Test(
        "an identity is a DNS label of at most 40 characters",
        arguments: [
            ("dev", true), ("a", true), ("0", true), ("a-b", true), (String(repeating: "a", count: 40), true),
            (String(repeating: "a", count: 41), false), ("", false), ("-a", false), ("a-", false), ("A", false),
            ("a.b", false), ("a_b", false), ("a b", false), ("a/b", false), ("..", false), ("a\n", false), ("ä", false),
        ]
    )
    func identity(_ text: String, _ isValid: Bool) {
        #expect(((try? Identity(text)) != nil) == isValid)
    }

    @Test(
        "a host pattern is a name, or a wildcard over at least two labels",
        arguments: [
            ("example.com", true), ("localhost", true), ("*.example.com", true), ("xn--bcher-kva.example", true),
            ("1.example", true), ("a.0xg", true), ("*.com", false), ("*", false), ("*.", false), ("*.*.com", false),
            ("a.*.com", false), ("a*.example.com", false), ("Example.com", false), ("example.com.", false),
            (".example.com", false), ("a..b", false), ("", false), ("1.2.3.4", false), ("0x7f000001", false),
            ("1.2.0x3", false), ("2130706433", false), ("https://a.b", false), ("a.b:443", false), ("a.b/c", false),
            ("[::1]", false), ("bücher.example", false), ("a.b\n", false), ("a_b.example", false),
            (String(repeating: "a", count: 64) + ".example", false),
            ([String](repeating: "aaaaaaa", count: 32).joined(separator: "."), false),
        ]
    )
    func hostPattern(_ text: String, _ isValid: Bool) {
        #expect(((try? HostPattern(text)) != nil) == isValid)
    }

    @Test(
        "a wildcard matches any depth and never the apex",
        arguments: [
            ("example.com", "example.com", true), ("example.com", "a.example.com", false),
            ("*.example.com", "a.example.com", true), ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false), ("*.example.com", "aexample.com", false),
            ("*.example.com", "a.example.com.evil.org", false),
        ]
    )
    func matches(_ pattern: String, _ host: String, _ isMatch: Bool) throws {
        #expect(try HostPattern(pattern).matches(host) == isMatch)
    }

    @Test(
        "a pattern covers what names no host beyond its own",
        arguments: [
            ("a.example.com", "a.example.com", true), ("a.example.com", "*.example.com", false),
            ("*.example.com", "a.example.com", true), ("*.example.com", "*.example.com", true),
            ("*.example.com", "*.a.example.com", true), ("*.a.example.com", "*.example.com", false),
            ("*.example.com", "example.com", false), ("*.example.com", "*.myexample.com", false),
        ]
    )
    func covers(_ pattern: String, _ other: String, _ isCovered: Bool) throws {
        #expect(try HostPattern(pattern).covers(HostPattern(other)) == isCovered)
    }

    @Test(
        "an IPv4 address is four decimal numbers in their one form",
        arguments: [
            ("10.0.0.7", "10.0.0.7"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
            ("256.0.0.1", nil), ("1.2.3", nil), ("1.2.3.4.5", nil), ("01.2.3.4", nil), ("+1.2.3.4", nil),
            ("1.2.3.-4", nil), ("0x1.2.3.4", nil), ("1..2.3", nil), ("", nil), (" 1.2.3.4", nil), ("١.2.3.4", nil),
        ] as [(String, String?)]
    )
    func address(_ text: String, _ described: String?) {
        #expect((try? IPv4Address(text))?.description == described)
    }

    @Test(
        "an IPv4 range has no host bits",
        arguments: [
            ("10.0.0.0/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"), ("1.2.3.4/32", "1.2.3.4/32"),
            ("10.0.0.1/24", nil), ("10.0.0.0/33", nil), ("10.0.0.0/-1", nil), ("10.0.0.0/08", nil), ("10.0.0.0", nil),
            ("10.0.0.0/", nil), ("10.0.0.0/8/8", nil), ("/8", nil),
        ] as [(String, String?)]
    )
    func block(_ text: String, _ described: String?) {
        #expect((try? IPv4Block(text))?.description == described)
    }

    @Test(
        "ranges overlap when one holds the other's start",
        arguments: [
            ("10.0.0.0/8", "10.1.0.0/16", true), ("10.0.0.0/24", "10.0.1.0/24", false),
            ("0.0.0.0/0", "9.9.9.9/32", true),
            ("10.0.0.0/28", "10.0.0.16/28", false), ("10.0.0.0/28", "10.0.0.15/32", true),
            ("255.255.255.240/28", "255.255.255.255/32", true),
        ]
    )
    func overlaps(_ one: String, _ other: String, _ isOverlap: Bool) throws {
        #expect(try IPv4Block(one).overlaps(IPv4Block(other)) == isOverlap)
        #expect(try IPv4Block(other).overlaps(IPv4Block(one)) == isOverlap)
    }

    @Test(
        "an image reference has no empty part and none that climbs in a path",
        arguments: [
            ("debian", true), ("debian:trixie-slim", true), ("localhost:5000/a/b:tag", true), ("a@sha256:0123", true),
            ("sha256:0123", true), ("a:_tag", true), ("", false), ("-a", false), (".a", false), ("a b", false),
            ("a/../b", false), ("a//b", false), ("/a", false), ("a/", false), (":tag", false), ("a:", false),
            ("a?x=y", false), ("a#b", false), ("a%2e", false), ("a\n", false), ("ä", false),
            (String(repeating: "a", count: 512), true), (String(repeating: "a", count: 513), false),
        ]
    )
    func imageReference(_ text: String, _ isValid: Bool) {
        #expect(((try? ImageReference(text)) != nil) == isValid)
    }

    @Test("a secret's value never shows itself")
    func secretValue() {
        let value = SecretValue("hunter2")
        #expect("\(value)" == "<redacted>")
        #expect(String(reflecting: [value]).contains("hunter2") == false)
        var dumped = ""
        dump(value, to: &dumped)
        #expect(!dumped.contains("hunter2"))
    }
}
