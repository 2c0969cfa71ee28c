import Reconciler
import ReconcilerPlatform
import Testing

@Suite("Every view", .needsEngine)
struct VisibleTextTests {
    /// Texts of which no view may show the characters that steer, hide, reorder or cover others.
    private static let nasty = [
        "a\u{1B}[2Jb", "a\u{9B}31mb", "a\u{7}b", "a\u{202E}b\u{2066}", "a\u{200B}b\u{FEFF}", "a\u{2028}b", "a\u{E000}b",
        "a\u{E0041}b", "a\u{115F}b\u{3164}c\u{FFA0}", "a\u{2800}b", "a\u{34F}b\u{FE0F}", "a\u{A0}b\u{3000}c",
        "1\u{301}b", "a" + String(repeating: "\u{301}", count: 50),
    ]

    private static func harmful(_ text: String) -> [Unicode.Scalar] {
        var marks = 0
        return text.unicodeScalars.filter { scalar in
            let properties = scalar.properties
            switch properties.generalCategory {
            case .nonspacingMark, .spacingMark, .enclosingMark:
                marks += 1
                return marks > 4
            case .control: return scalar != "\n"
            case .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: return true
            case .spaceSeparator: return scalar != " "
            default:
                marks = 0
                return properties.isDefaultIgnorableCodePoint || scalar == "\u{2800}"
            }
        }
    }

    @Test("escapes the same characters", arguments: nasty)
    func escapes(_ text: String) async throws {
        try await BottleFixture.run { fixture in
            let none = ["DOCKER_HOST": "unix:///nonexistent"]
            let manifest = "\(fixture.folder)/nasty.yaml"
            // JSON escapes, so that the reader takes the text.
            let escaped = text.utf16.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
            let line =
                #"{"time":"2026-11-24T03:00:00Z","event":"refused","sidecar":"firewall","host":"\#(escaped)","#
                + #""rule":"host","count":1,"first":"2026-11-24T03:00:00Z","method":"\#(escaped)","path":"/\#(escaped)"}"#
            try DurableFile.write(
                Array("apiVersion: bottle/v1\nkind: \"\(escaped)\"\n\"\(escaped)\": \(text)\n".utf8),
                to: manifest
            )
            _ = try await fixture.bottle(["get"], environment: none)
            try POSIX.makeFolder(fixture.state)
            try POSIX.makeFolder("\(fixture.state)/refusals")
            let read = #"{"time":"2026-11-24T03:00:00Z","event":"read","container":"c","lines":1}"#
            try DurableFile.write(Array("\(line)\n\(read)\n".utf8), to: "\(fixture.state)/refusals/nasty.jsonl")
            let views = [
                ["describe", text], ["validate", "-f", manifest], ["grant", "dev", "host", text, "--reason", text],
                ["denied", "nasty"],
            ]
            for view in views {
                for format in ["table", "json", "yaml"] {
                    let run = try await fixture.bottle(view + ["-o", format], environment: none)
                    let harmful = Self.harmful(run.text)
                    #expect(harmful.isEmpty, "\(view[0]) \(format): \(harmful)")
                    #expect(!run.text.isEmpty, "\(view[0]) \(format)")
                }
            }
        }
    }
}
