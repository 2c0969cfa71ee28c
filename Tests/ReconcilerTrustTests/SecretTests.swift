import Crypto
import ReconcilerModel
import ReconcilerTrust
import Synchronization
import Testing

@Suite("A fingerprint of a secret")
struct KeyedFingerprintTests {
    let name = Result { try SecretReference("TOKEN") }

    @Test("is HMAC-SHA256 under the key, over name and value")
    func value() throws {
        let fingerprint = KeyedFingerprint(key: SymmetricKey(data: [UInt8](repeating: 7, count: 32)))
        // printf 'bottle secret v1\0TOKEN\0hunter2' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…
        #expect(
            fingerprint.fingerprint(of: SecretValue("hunter2"), name: try name.get())
                == "440d73dedae2a8ac8f5d7473204fa7a64fa25ed6bb16d52e64c4629abc6ddcf7"
        )
    }

    @Test("tells values, names and installations apart")
    func tellsApart() throws {
        let one = try KeyedFingerprint.load(from: MemoryFiles())
        let two = try KeyedFingerprint.load(from: MemoryFiles())
        let (a, b) = (try SecretReference("A"), try SecretReference("AB"))
        let all = [
            one.fingerprint(of: SecretValue("x"), name: a), one.fingerprint(of: SecretValue("y"), name: a),
            one.fingerprint(of: SecretValue("x"), name: b), two.fingerprint(of: SecretValue("x"), name: a),
        ]
        #expect(Set(all).count == 4)
        #expect(all[0] == one.fingerprint(of: SecretValue("x"), name: a))
    }

    @Test("stays the same under the key that was made first, whichever process loads it")
    func keeps() async throws {
        let files = MemoryFiles()
        let name = try name.get()
        let all = try await withThrowingTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    try KeyedFingerprint.load(from: files).fingerprint(of: SecretValue("x"), name: name)
                }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(all.count == 1)
    }

    @Test("is refused under a damaged key, which stays", arguments: ["", "00", String(repeating: "G", count: 64)])
    func damaged(_ text: String) throws {
        let files = MemoryFiles()
        files.set("fingerprint.key", Array(text.utf8))
        let error = #expect(throws: BottleError.self) { _ = try KeyedFingerprint.load(from: files) }
        #expect(error?.code == .fingerprintKeyUnreadable)
        #expect(try files.read("fingerprint.key") == Array(text.utf8))
    }
}

@Suite("Secret sources")
struct SecretSourcesTests {
    let token = Result { try SecretReference("TOKEN") }
    static let marker = "s3cr3t-marker"

    private func sources(
        _ sources: [SecretReference: SecretSource] = [:],
        environment: [String: String] = [:],
        files: [String: [UInt8]] = [:],
        run: @escaping SecretSources.RunCommand = { _ in throw Refused() }
    ) -> SecretSources {
        SecretSources(
            sources: sources,
            environment: environment,
            readFile: { path, limit in
                guard let bytes = files[path] else { return nil }
                guard bytes.count <= limit else { throw Refused() }
                return bytes
            },
            runCommand: run
        )
    }

    struct Refused: Error {}

    @Test("find a bare name in the environment, others where the settings say")
    func finds() async throws {
        let names = try ["BARE", "RENAMED", "FILE", "HOMED", "COMMAND"].map { try SecretReference($0) }
        let sources = sources(
            [
                names[1]: .environment("OTHER"), names[2]: .file("/run/token"), names[3]: .file("~/token"),
                names[4]: .command(["pass", "show", "a b"]),
            ],
            environment: ["BARE": "1", "RENAMED": "wrong", "OTHER": "2", "HOME": "/home/u"],
            files: ["/run/token": Array("3\n".utf8), "/home/u/token": Array("4\r\n".utf8)],
            run: { arguments in
                .init(succeeded: arguments == ["pass", "show", "a b"], output: Array("5 6~!\n".utf8))
            }
        )
        let values = try await sources.resolve(names)
        #expect(names.map { values[$0]?.exposed } == ["1", "2", "3", "4", "5 6~!"])
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let source: SecretSource
        let environment: [String: String]
        let content: [UInt8]?
        let succeeds: Bool
        let reason: String

        init(
            _ why: String,
            _ source: SecretSource,
            environment: [String: String] = [:],
            content: [UInt8]? = nil,
            succeeds: Bool = true,
            reason: String
        ) {
            testDescription = why
            self.source = source
            self.environment = environment
            self.content = content
            self.succeeds = succeeds
            self.reason = reason
        }
    }

    static let bad = Array("\(marker)\r\nX-Evil: 1".utf8)
    static let rows = [
        Row("unset variable", .environment("V"), reason: "not set"),
        Row("empty variable", .environment("V"), environment: ["V": ""], reason: "not set"),
        Row("newline in a variable", .environment("V"), environment: ["V": "\(marker)\nx"], reason: "control"),
        Row("trailing newline in a variable", .environment("V"), environment: ["V": "\(marker)\n"], reason: "control"),
        Row("escape in a variable", .environment("V"), environment: ["V": "\(marker)\u{1B}[0m"], reason: "control"),
        Row("C1 control in a variable", .environment("V"), environment: ["V": "\(marker)\u{85}"], reason: "ASCII"),
        Row("missing file", .file("/f"), reason: "no such file"),
        Row("empty file", .file("/f"), content: [], reason: "empty"),
        Row("file of a newline", .file("/f"), content: [10], reason: "empty"),
        Row("two newlines", .file("/f"), content: Array("\(marker)\n\n".utf8), reason: "control"),
        Row("header injection", .file("/f"), content: bad, reason: "control"),
        Row("NUL in a file", .file("/f"), content: Array("\(marker)\0x".utf8), reason: "control"),
        Row("bytes that are no UTF-8", .file("/f"), content: Array(marker.utf8) + [0xFF], reason: "printable ASCII"),
        Row("a letter beyond ASCII", .environment("V"), environment: ["V": "\(marker)ü"], reason: "printable ASCII"),
        Row("a no-break space", .file("/f"), content: Array("\(marker)\u{A0}".utf8), reason: "printable ASCII"),
        Row("a blank before", .environment("V"), environment: ["V": " \(marker)"], reason: "a blank"),
        Row("a blank after", .command(["pass"]), content: Array("\(marker) \n".utf8), reason: "a blank"),
        Row("a blank alone", .file("/f"), content: [0x20], reason: "a blank"),
        Row("DEL in a variable", .environment("V"), environment: ["V": "\(marker)\u{7F}"], reason: "control"),
        Row("a tab after", .file("/f"), content: Array("\(marker)\t".utf8), reason: "control"),
        Row("file over the limit", .file("/f"), content: [UInt8](repeating: 65, count: 65_537), reason: "longer"),
        Row("huge file", .file("/f"), content: [UInt8](repeating: 65, count: 1 << 20), reason: "Refused"),
        Row("home file without HOME", .file("~/f"), reason: "HOME"),
        Row("failed command", .command(["pass", "\(marker)"]), content: bad, succeeds: false, reason: "failed"),
        Row("command without output", .command(["pass", "\(marker)"]), content: [], reason: "empty"),
        Row("command with two lines", .command(["pass"]), content: bad, reason: "control"),
        Row("command that can't run", .command(["pass", "\(marker)"]), reason: "Refused"),
        Row("no command", .command([]), content: [65], reason: "no program"),
        Row("empty command", .command([""]), content: [65], reason: "no program"),
    ]

    @Test("refuse what is no value, naming secret and source and never the value", arguments: rows)
    func refuses(_ row: Row) async throws {
        let token = try token.get()
        let sources = sources(
            [token: row.source],
            environment: row.environment,
            files: row.content.map { ["/f": $0] } ?? [:],
            run: { _ in
                guard let content = row.content else { throw Refused() }
                return .init(succeeded: row.succeeds, output: content)
            }
        )
        let error = await #expect(throws: BottleError.self) { _ = try await sources.resolve([token]) }
        let text = try "\(#require(error))"
        #expect(error?.code == .secretUnavailable)
        #expect(text.contains("TOKEN"))
        #expect(text.contains(row.reason))
        #expect(!text.contains(Self.marker))
    }

    @Test("report all failures at once, and what was found beside them")
    func reportsAll() async throws {
        let names = try ["A", "B", "C"].map { try SecretReference($0) }
        let sources = sources([names[1]: .file("/none")], environment: ["C": Self.marker])
        let error = await #expect(throws: BottleError.self) { _ = try await sources.resolve(names) }
        #expect(error?.message.contains("A from the environment variable A") == true)
        #expect(error?.message.contains("B from the file /none") == true)
        #expect(error?.location == "A, B")
        let resolution = try await sources.attempt(names)
        #expect(resolution.failures.map(\.name) == [names[0], names[1]])
        #expect(resolution.values[names[2]]?.exposed == Self.marker)
        #expect(!"\(resolution)".contains(Self.marker))
    }

    @Test("run a command once for each secret, one at a time, and only when asked to")
    func commands() async throws {
        struct Count { var running = 0, most = 0, total = 0 }
        let count = Mutex(Count())
        let names = try ["A", "B", "C"].map { try SecretReference($0) }
        let sources = sources(
            Dictionary(uniqueKeysWithValues: names.map { ($0, .command(["pass"])) }),
            run: { _ in
                count.withLock {
                    $0.running += 1
                    $0.total += 1
                    $0.most = max($0.most, $0.running)
                }
                await Task.yield()
                count.withLock { $0.running -= 1 }
                return .init(succeeded: true, output: [65])
            }
        )
        let quiet = try await sources.attempt(names, runningCommands: false)
        #expect(quiet.values.isEmpty && quiet.failures.isEmpty)
        #expect(count.withLock { $0.total } == 0)
        _ = try await sources.resolve(names + names)
        #expect(count.withLock { $0.total } == 3)
        #expect(count.withLock { $0.most } == 1)
    }

    @Test("end with the task that asks, not with an error about secrets")
    func cancels() async throws {
        let token = try token.get()
        let sources = sources(
            [token: .command(["pass"])],
            run: { _ in
                try await Task.sleep(for: .seconds(60))
                return .init(succeeded: true, output: [65])
            }
        )
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: CancellationError.self) { _ = try await sources.resolve([token]) }
            }
            group.cancelAll()
        }
    }
}
