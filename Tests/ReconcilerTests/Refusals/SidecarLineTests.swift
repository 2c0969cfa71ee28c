import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerTime
import SeededRandom
import Testing

/// What is taken from a sidecar's log.
@Suite("A sidecar's line")
struct SidecarLineTests {
    static let proxy =
        #"{"time":"2026-11-24T03:00:00.125Z","event":"refused","host":"pypi.org","method":"GET","path":"/simple/a","#
        + #""port":443,"#
        + #""rule":"host","reason":"no route and no allowlist entry names this host"}"#
    static let squid =
        #"{"time":"2026-11-24T03:00:00.125Z","event":"refused","host":"pypi.org","port":"443","method":"CONNECT","#
        + #""rule":"unlisted-host","reason":"the host is not listed"}"#

    @Test("of either sidecar is read whole")
    func read() throws {
        let time = try #require(Timestamp(rfc3339: "2026-11-24T03:00:00.125Z"))
        #expect(
            SidecarLine(Self.proxy.utf8, of: .egressProxy)
                == .refusal(
                    RefusedRequest(
                        sidecar: .egressProxy,
                        host: "pypi.org",
                        port: 443,
                        method: "GET",
                        path: "/simple/a",
                        rule: "host",
                        reason: "no route and no allowlist entry names this host",
                        first: time
                    )
                )
        )
        #expect(
            SidecarLine(Self.squid.utf8, of: .firewall)
                == .refusal(
                    RefusedRequest(
                        sidecar: .firewall,
                        host: "pypi.org",
                        port: 443,
                        method: "CONNECT",
                        rule: "unlisted-host",
                        reason: "the host is not listed",
                        first: time
                    )
                )
        )
        let lost = #"{"time": "2026-11-24T03:00:00.125Z", "event": "lost", "lines": 17}"#
        #expect(SidecarLine(lost.utf8, of: .egressProxy) == .lost(17))
    }

    struct Bad: CustomTestStringConvertible {
        let why: String
        let line: String

        var testDescription: String { why }
    }

    static let bad = [
        Bad(why: "nothing", line: ""),
        Bad(why: "no JSON", line: "refused pypi.org"),
        Bad(why: "a part of one", line: String(proxy.dropLast())),
        Bad(why: "two", line: proxy + proxy),
        Bad(why: "a list", line: "[\(proxy)]"),
        Bad(why: "another event", line: proxy.replacing("refused", with: "allowed")),
        Bad(why: "no time", line: proxy.replacing("\"time\"", with: "\"when\"")),
        Bad(why: "a time that is none", line: proxy.replacing("2026-11-24T", with: "yesterday")),
        Bad(why: "a rule with a line break", line: proxy.replacing("\"host\",\"reason", with: "\"ho\\nst\",\"reason")),
        Bad(why: "a rule that is a number", line: proxy.replacing("\"rule\":\"host\"", with: "\"rule\":1")),
        Bad(why: "a member twice", line: proxy.replacing("{", with: "{\"host\":\"other.test\",")),
        Bad(why: "a raw control character", line: proxy.replacing("/simple", with: "/sim\u{1b}ple")),
        Bad(why: "bytes beyond ASCII", line: proxy.replacing("/simple", with: "/sim\u{202e}ple")),
        Bad(why: "something nested", line: proxy.replacing("\"pypi.org\"", with: "{\"a\":1}")),
        Bad(why: "longer than any", line: proxy.replacing("/simple", with: String(repeating: "a", count: 9000))),
        Bad(
            why: "more members than any",
            line: proxy.replacing("{", with: "{" + (0..<20).map { "\"x\($0)\":1," }.joined())
        ),
        Bad(why: "a negative loss", line: #"{"time":"2026-11-24T03:00:00Z","event":"lost","lines":-4}"#),
    ]

    @Test("of any other shape is counted and nothing else", arguments: bad)
    func isUnreadable(_ bad: Bad) {
        #expect(SidecarLine(bad.line.utf8, of: .egressProxy) == .unreadable)
    }

    @Test("never brings a character that could steer a view, nor text without end")
    func isHarmless() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix64(seed: seed)
        var read = 0
        for _ in 0..<20_000 {
            let line = Self.randomLine(&random)
            guard case .refusal(let refusal) = SidecarLine(line, of: .egressProxy) else { continue }
            read += 1
            let texts = [refusal.host, refusal.method, refusal.path, refusal.rule, refusal.reason]
            let isPlain = texts.allSatisfy { $0.utf8.allSatisfy { (0x20...0x7E).contains($0) } }
            #expect(isPlain, "seed \(seed): \(texts)")
            #expect(texts.allSatisfy { $0.utf8.count <= 520 }, "seed \(seed): \(texts)")
        }
        // Else nothing was shown.
        #expect(read > 1000, "seed \(seed)")
    }

    /// A line with hostile text in its members, whole or damaged.
    private static func randomLine(_ random: inout SplitMix64) -> [UInt8] {
        func text(_ most: Int) -> String {
            let pieces = [
                "\\u001b[2J", "\\u202e", "\\ud800", "\\ud83d\\ude00", "\\u0000", "\\\"", "\\\\", "\\n", "\\r", "a", "/",
                "%",
                "\\u00e9", "\\u2028", "\\ufeff", "...", "\\u2026", "{", "}",
            ]
            return (0..<Int.random(in: 0...most, using: &random)).map { _ in pieces.randomElement(using: &random) ?? ""
            }
            .joined()
        }
        var line = Array(
            (#"{"time":"2026-11-24T03:00:00.125Z","event":"refused","host":"\#(text(60))","method":"\#(text(5))","#
                + #""path":"\#(text(400))","rule":"host","reason":"\#(text(9))"}"#).utf8
        )
        if Int.random(in: 0..<3, using: &random) == 0 {
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<line.count, using: &random)
                line[place] = UInt8.random(in: 0...255, using: &random)
            }
        }
        return line
    }
}
