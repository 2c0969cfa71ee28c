import ReconcilerManifest
import ReconcilerModel
import Testing

/// What a person writes for a host, and the form it is read as; nil: refused.
struct HostRow: Sendable, CustomTestStringConvertible {
    let written: String
    let canonical: String?
    let why: String

    init(_ written: String, _ canonical: String?, _ why: String = "") {
        self.written = written
        self.canonical = canonical
        self.why = why
    }

    var testDescription: String { "\(written) \(why)" }
}

@Suite struct HostTests {
    static let rows = [
        HostRow("example.com", "example.com"),
        HostRow("API.Example.COM", "api.example.com", "case"),
        HostRow("example.com.", "example.com", "one trailing dot"),
        HostRow("example.com..", nil, "two trailing dots"),
        HostRow("a..b", nil, "empty label"),
        HostRow(".a.b", nil, "empty first label"),
        HostRow("", nil, "empty"),
        HostRow("bücher.example", "xn--bcher-kva.example", "RFC 3492"),
        HostRow("BÜCHER.example", "xn--bcher-kva.example", "case outside of ASCII"),
        HostRow("xn--bcher-kva.example", "xn--bcher-kva.example"),
        HostRow("xn--BCHER-KVA.example", "xn--bcher-kva.example"),
        HostRow("他们为什么不说中文.example", "xn--ihqwcrb4cv8a8dqg056pqjye.example", "RFC 3492, Chinese sample"),
        HostRow(
            "почемужеонинеговорятпорусски.example",
            "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l.example",
            "RFC 3492, Russian sample"
        ),
        HostRow("ひとつ屋根の下2.example", "xn--2-u9tlzr9756bt3uc0v.example", "RFC 3492, Japanese sample"),
        HostRow("münchen-ost.example", "xn--mnchen-ost-9db.example"),
        HostRow("xn--a.example", nil, "not an encoding"),
        HostRow("xn--bcher-kvb0000.example", nil, "decodes to something else or nothing"),
        HostRow("xn--.example", nil, "an empty encoding"),
        HostRow("straße.example", nil, "programs map ß in two ways"),
        HostRow("bu\u{308}cher.example", nil, "not composed"),
        HostRow("p\u{430}ypal.example", nil, "Cyrillic а in a Latin word"),
        HostRow("\u{212A}.example", nil, "the Kelvin sign becomes k"),
        HostRow("\u{FF45}xample.com", nil, "full-width letter"),
        HostRow("a\u{3002}example.com", nil, "ideographic full stop"),
        HostRow("a\u{200D}b.example", nil, "joiner"),
        HostRow("https://example.com", nil, "scheme"),
        HostRow("example.com/path", nil, "path"),
        HostRow("example.com:443", nil, "port"),
        HostRow("user@example.com", nil, "user"),
        HostRow("exa mple.com", nil, "space"),
        HostRow("exa_mple.com", nil, "underscore"),
        HostRow("-a.example", nil, "leading hyphen"),
        HostRow("a-.example", nil, "trailing hyphen"),
        HostRow("10.0.0.1", nil, "address"),
        HostRow("10.0.0.1.", nil, "address with a dot"),
        HostRow("127.1", nil, "short address"),
        HostRow("2130706433", nil, "address as one number"),
        HostRow("0x7f.1", nil, "hexadecimal address"),
        HostRow("a.0x7f", nil, "ends in a hexadecimal number"),
        HostRow("0177.0.0.1", nil, "octal address"),
        HostRow("::1", nil, "IPv6"),
        HostRow("[::1]", nil, "IPv6 in brackets"),
        HostRow("localhost", nil, "the sidecar itself"),
        HostRow("a.localhost", nil, "the sidecar itself"),
        HostRow("*.example.org", "*.example.org"),
        HostRow("*.EXAMPLE.org.", "*.example.org"),
        HostRow("*.bücher.example", "*.xn--bcher-kva.example"),
        HostRow("*", nil, "everything"),
        HostRow("*.", nil, "everything"),
        HostRow("*.com", nil, "one label"),
        HostRow("*.internal", nil, "one label"),
        HostRow("a.*.example", nil, "inner star"),
        HostRow("*a.example.org", nil, "part of a label"),
        HostRow("**.example.org", nil, "two stars"),
        HostRow("*.*.example.org", nil, "two wildcards"),
        HostRow("*.co.uk", nil, "public suffix"),
        HostRow("*.github.io", nil, "private suffix"),
        HostRow("*.foo.ck", nil, "suffix by a wildcard rule"),
        HostRow("*.www.ck", "*.www.ck", "exception of a rule"),
        HostRow("*.compute.amazonaws.com", nil, "above a wildcard rule"),
        HostRow("*.eu-west-1.compute.amazonaws.com", nil, "below a wildcard rule"),
        HostRow("*.me.github.io", "*.me.github.io", "one person's names"),
        HostRow("*.amazonaws.com", "*.amazonaws.com", "holds suffixes: a warning"),
        HostRow(String(repeating: "a", count: 63) + ".example", String(repeating: "a", count: 63) + ".example"),
        HostRow(String(repeating: "a", count: 64) + ".example", nil, "label too long"),
        HostRow(String(repeating: "a.", count: 126) + "ab", nil, "254 characters"),
    ]

    @Test("A host is read in its one canonical form, or refused", arguments: rows)
    func canonical(_ row: HostRow) {
        let escaped = row.written.unicodeScalars.map {
            "\\U" + String(repeating: "0", count: 8 - String($0.value, radix: 16).count) + String($0.value, radix: 16)
        }.joined()
        let reading = read(egress("allowlist: [\"\(escaped)\"]"))
        #expect(
            reading.bottles.first?.manifest.egress.allowlist.map(\.text) == row.canonical.map { [$0] },
            "\(reading.errors)"
        )
        #expect(reading.errors.map(\.code) == (row.canonical == nil ? ["invalid-host"] : []), "\(reading.errors)")
    }

    @Test(
        "What was changed in a host, or opens more than it seems, is a warning",
        arguments: [
            ("example.com.", "trailing dot"), ("bücher.example", "xn--bcher-kva.example"),
            ("*.amazonaws.com", "anybody can register"),
        ]
    )
    func notes(_ written: String, _ note: String) {
        let reading = read(egress("allowlist: [\"\(written)\"]"))
        #expect(reading.warnings.map(\.code) == ["host-note"])
        #expect(reading.warnings.first?.message.contains(note) == true)
    }

    @Test(
        "A refused host's suggestion shows what to write",
        arguments: [
            ("https://api.example.com/v1", "'api.example.com'"), ("api.example.com/v1", "path_allowlist"),
            ("api.example.com:8443", "port: 8443"), ("user@api.example.com", "'api.example.com'"),
            ("10.0.0.1", "extra_hosts"),
        ]
    )
    func suggestions(_ written: String, _ suggestion: String) {
        let reading = read(egress("allowlist: [\"\(written)\"]"))
        #expect(reading.errors.first?.suggestion?.contains(suggestion) == true, "\(reading.errors)")
    }
}
