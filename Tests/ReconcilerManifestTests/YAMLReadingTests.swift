import ReconcilerManifest
import ReconcilerModel
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite(.serialized) struct YAMLReadingTests {
    @Test(
        "A scalar means what YAML 1.2 says, not what YAML 1.1 said",
        arguments: [
            ("no", "no"), ("on", "on"), ("012", "012"), ("0x1F", "0x1F"), ("1.10", "1.10"), ("1_000", "1_000"),
            ("12:30:45", "12:30:45"),
            ("2026-01-01", "2026-01-01"), ("'true'", "true"), ("!!str true", "true"), ("! null", "null"),
            ("\"a\\tb\"", "a\tb"),
            ("=", "="), ("|-\n     two\n     lines", "two\nlines"), (">-\n     one\n     line", "one line"),
        ]
    )
    func scalars(_ written: String, _ meant: String) {
        let reading = read(
            "apiVersion: bottle/v1\nkind: Bottle\nmetadata: {name: dev}\nspec:\n  agent:\n   image: a\n   env:\n    A: \(written)\n"
        )
        #expect(reading.bottles.first?.manifest.agent.environment == ["A": .literal(meant)], "\(reading.errors)")
    }

    @Test("Anchors, aliases and merge keys give what they stand for")
    func anchors() {
        let reading = read(
            """
            apiVersion: bottle/v1
            kind: Bottle
            metadata: {name: dev}
            spec:
              agent:
                image: a
                env: &env {A: "1", B: "2"}
              egress: {allowlist: &hosts [a.example, b.example], passthrough: *hosts}
            ---
            apiVersion: bottle/v1
            kind: Bottle
            metadata: {name: two}
            spec:
              agent:
                image: a
                env: {<<: [&x {A: "3", C: "4"}, {C: "5", D: "6"}], B: "7", A: "8"}
            """
        )
        #expect(reading.errors == [])
        #expect(reading.bottles[0].manifest.egress.passthrough.map(\.text) == ["a.example", "b.example"])
        #expect(
            reading.bottles[1].manifest.agent.environment
                == ["A": .literal("8"), "B": .literal("7"), "C": .literal("4"), "D": .literal("6")]
        )
    }

    static let broken = [
        BadManifest(
            "an alias without an anchor",
            "unknown-alias",
            egress("allowlist: &hosts []\npassthrough: @@*host"),
            "*hosts"
        ),
        BadManifest("an alias inside of its anchor", "alias-cycle", egress("allowlist: &a [@@*a]")),
        BadManifest(
            "an anchor of the document before",
            "unknown-alias",
            "--- &a\n" + bottle().replacing("name: dev", with: "name: one") + "---\na: @@*a\n"
        ),
        BadManifest("an unknown tag", "unsupported-yaml", bottle("supervise: @@!x true")),
        BadManifest("a tag directive", "unsupported-yaml", "@@%TAG ! tag:x,2000:\n---\n" + bottle()),
        BadManifest("a mapping as a key", "invalid-key", bottle(agent: "{image: a, ? @@{b: c} : d}")),
        BadManifest("a tab for indentation", "yaml-syntax", bottle() + "@@\tegress: {}\n", "spaces"),
        BadManifest("a text with a colon", "yaml-syntax", bottle("egress: {}\nsupervise: a@@: b"), "quotes"),
        BadManifest("a control character", "forbidden-character", "# @@\u{07}\n" + bottle()),
        BadManifest("a bidirectional override", "forbidden-character", "# @@\u{202E}\n" + bottle()),
        BadManifest("a line separator", "forbidden-character", "# ä@@\u{2028}\n" + bottle()),
        BadManifest("a byte order mark inside", "forbidden-character", "# @@\u{FEFF}\n" + bottle()),
        BadManifest(
            "65 levels",
            "too-deep",
            "a: " + String(repeating: "[", count: 63) + "@@[" + String(repeating: "]", count: 64)
        ),
    ]

    @Test("What can't be read is an error at its place", arguments: broken)
    func unreadable(_ row: BadManifest) {
        let marked = MarkedText(row.text)
        let first = read(marked.text).errors.first { $0.code == row.code }
        #expect(
            first?.location == SourceLocation(file: "bottle.yaml", line: marked.line, column: marked.column),
            "\(read(marked.text).errors)"
        )
        if let wanted = row.suggestion {
            #expect(first?.suggestion?.contains(wanted) == true, "\(String(describing: first))")
        }
    }

    @Test(
        "Bytes that are not UTF-8 are an error at their place",
        arguments: [
            ([0xFF, 0xFE, 0x61, 0x00] as [UInt8], 1, 1), (Array("a: 1\nb: ä".utf8) + [0xC3], 2, 5),
            (Array("a: ".utf8) + [0xC0, 0x80], 1, 4),
            (Array("a: ".utf8) + [0xED, 0xA0, 0x80], 1, 4), (Array("a: ".utf8) + [0xF5, 0x80, 0x80, 0x80], 1, 4),
        ]
    )
    func notUTF8(_ bytes: [UInt8], _ line: Int, _ column: Int) {
        let reading = ManifestReader.read([ManifestSource(name: "x.yaml", bytes: bytes)])
        #expect(reading.errorPlaces == ["not-utf8 \(line):\(column)"])
    }

    @Test("A byte order mark and Windows line ends change neither values nor places")
    func windows() {
        let text = MarkedText(bottle("@@egres: {}"))
        let bytes = [0xEF, 0xBB, 0xBF] + Array(text.text.replacing("\n", with: "\r\n").utf8)
        let reading = ManifestReader.read([ManifestSource(name: "x.yaml", bytes: bytes)])
        #expect(reading.errorPlaces == ["unknown-key \(text.line):\(text.column)"])
        #expect(reading.errors.first?.snippet == "  egres: {}")
    }

    @Test("JSON is read as YAML")
    func json() {
        let reading = read(
            #"{"apiVersion":"bottle/v1","kind":"Bottle","metadata":{"name":"dev"},"spec":{"agent":{"image":"a","env":{"A":"\u0041\/"}}}}"#,
            name: "bottle.json"
        )
        #expect(reading.bottles.first?.manifest.agent.environment == ["A": .literal("A/")], "\(reading.errors)")
    }

    static let bombs: [(String, String, String)] = {
        let laughs =
            "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
            + (1..<10).map { level in
                "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
                    + "]\n"
            }.joined()
        let merges =
            "a0: &a0 {k: v}\n"
            + (1..<20).map { level in
                "a\(level): &a\(level)\n" + (0..<20).map { "  k\(level)_\($0): *a\(level - 1)\n" }.joined()
            }.joined()
        let long =
            "a: &a \"" + String(repeating: "x", count: 1 << 20) + "\"\nb: ["
            + Array(repeating: "*a", count: 1000).joined(separator: ", ") + "]\n"
        return [
            ("ten to the tenth aliases", laughs, "too-many-nodes"),
            ("nested mappings of aliases", merges, "too-many-nodes"),
            ("a megabyte a thousand times", long, "too-many-nodes"),
            ("a million brackets", "a: " + String(repeating: "[", count: 1_000_000), "too-deep"),
            ("a million open mappings", String(repeating: "{a: ", count: 250_000), "too-deep"),
            ("a million question marks", String(repeating: "? ", count: 500_000), "too-deep"),
            ("a million dashes", String(repeating: "- ", count: 500_000), "too-deep"),
            ("a million values", "a: [" + String(repeating: "x,", count: 1_000_000) + "]", "too-many-nodes"),
            ("a million keys", (0..<300_000).map { "k\($0): \n" }.joined(), "too-many-nodes"),
            ("a million anchors", (0..<300_000).map { "- &a\($0) x\n" }.joined(), "too-many-nodes"),
            (
                "a million unknown keys in one line", "{" + (0..<49_000).map { "k\($0): 1, " }.joined() + "}",
                "unknown-key"
            ),
            (
                "a list under a megabyte of key",
                "? \"" + String(repeating: "k", count: 1 << 20) + "\"\n: [" + String(repeating: "[],", count: 90_000)
                    + "]",
                "unknown-key"
            ),
            (
                "forty thousand hosts", egress("allowlist: [" + (0..<40_000).map { "h\($0).example, " }.joined() + "]"),
                "too-many-entries"
            ),
            (
                "blank lines below the front matter", "---\na: 1\n---\n" + String(repeating: "\n", count: 1_000_000),
                "missing-key"
            ),
            ("tag directives", String(repeating: "%TAG !a! tag:x,2000:\n", count: 100_000), "unsupported-yaml"),
            ("five megabytes", String(repeating: "# comment\n", count: 500_000), "too-large"),
            ("a long plain text", "a: " + String(repeating: "x ", count: 2_000_000), "unknown-key"),
        ]
    }()

    /// The bounds are for a release build on one core; a debug build with other work beside it gets ten times as much.
    @Test("A bomb is an error in little time and memory", arguments: bombs.indices)
    func bomb(_ index: Int) {
        let (name, text, code) = Self.bombs[index]
        let source = ManifestSource(name: text.hasPrefix("---\n") ? "bomb.md" : "bomb.yaml", bytes: Array(text.utf8))
        resetPeakMemory()
        let before = peakMemory()
        let start = processorTime()
        let errors = ManifestReader.read([source]).errors
        let time = processorTime() - start
        let grown = peakMemory() - before
        print("bomb: \(name): \(time), \(grown >> 10) KiB, \(errors.map(\.code).prefix(3))")
        #expect(errors.contains { $0.code == code }, "\(name): \(errors.prefix(3))")
        #expect(time < .seconds(1.5), "\(name)")
        #expect(grown < 100 << 20, "\(name)")
    }

    /// What this thread has used of a processor: other work on the machine doesn't count.
    private func processorTime() -> Duration {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// Resets the process's peak memory, where the kernel can.
    private func resetPeakMemory() {
        guard let file = unsafe fopen("/proc/self/clear_refs", "w") else { return }
        unsafe fputs("5", file)
        unsafe fclose(file)
    }

    /// The most memory this process has held, in bytes; 0 where the kernel does not say.
    private func peakMemory() -> Int {
        guard let file = unsafe fopen("/proc/self/status", "r") else { return 0 }
        defer { unsafe fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while unsafe fgets(&line, 256, file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("VmHWM:") else { continue }
            return Int(text.filter(\.isNumber)).map { $0 * 1024 } ?? 0
        }
        return 0
    }
}
