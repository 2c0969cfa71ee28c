import ReconcilerManifest
import ReconcilerModel
import Testing

@Suite struct SettingsReaderTests {
    private func read(_ text: String) -> (settings: Settings, diagnostics: [Diagnostic]) {
        SettingsReader.read(name: "config.yaml", bytes: Array(text.utf8))
    }

    @Test("Every key of the settings reaches its field")
    func everyKey() throws {
        let (settings, diagnostics) = read(
            """
            secrets:
              A: {env: MY_A}
              B: {file: ~/b}
              C: {command: [pass, show, c]}
            images: {agent: my/agent:1, egress-proxy: my/proxy}
            network: {pool: 10.64.0.0/12}
            denied: {ignore: [updates.example.org, "*.metrics.example.net"]}
            builds: {allow: [deb.debian.org, "*.pypi.example"], memory: 1GiB, cpus: 0.5, minutes: 3, size: 1073741824}
            """
        )
        #expect(diagnostics == [])
        #expect(
            settings
                == Settings(
                    secrets: [
                        try SecretReference("A"): .environment("MY_A"), try SecretReference("B"): .file("~/b"),
                        try SecretReference("C"): .command(["pass", "show", "c"]),
                    ],
                    images: [.agent: try ImageReference("my/agent:1"), .egressProxy: try ImageReference("my/proxy")],
                    networkPool: try IPv4Block("10.64.0.0/12"),
                    noise: [try HostPattern("updates.example.org"), try HostPattern("*.metrics.example.net")],
                    builds: Settings.Builds(
                        allow: [try HostPattern("deb.debian.org"), try HostPattern("*.pypi.example")],
                        memory: 1 << 30,
                        milliCPUs: 500,
                        timeLimit: .seconds(180),
                        size: 1 << 30
                    )
                )
        )
    }

    @Test("An empty file is the default settings", arguments: ["", "# nothing\n", "{}\n", "---\n"])
    func empty(_ text: String) {
        let (settings, diagnostics) = read(text)
        #expect(diagnostics == [])
        #expect(settings == Settings())
    }

    static let mistakes = [
        BadManifest("an unknown key", "unknown-key", "@@secret: {}\n", "'secrets'"),
        BadManifest("an unknown role", "unknown-key", "images: {@@proxy: a}\n"),
        BadManifest("two sources", "conflicting-keys", "secrets: {A: {env: B, @@file: c}}\n"),
        BadManifest("no source", "missing-key", "secrets: {A: @@{}}\n"),
        BadManifest("a bad name", "invalid-value", "secrets: {@@a-b: {env: B}}\n"),
        BadManifest("a command as text", "wrong-type", "secrets: {A: {command: @@pass show c}}\n"),
        BadManifest("an empty program", "invalid-value", "secrets: {A: {command: [@@'']}}\n"),
        BadManifest("a pool with host bits", "invalid-value", "network: {pool: @@10.0.0.1/8}\n"),
        BadManifest("a pool that is too small", "invalid-value", "network: {pool: @@10.0.0.0/28}\n"),
        BadManifest("a pool in loopback", "forbidden-address", "network: {pool: @@127.0.0.0/16}\n"),
        BadManifest("a host to ignore that is none", "invalid-value", "denied: {ignore: [a.test, @@'*']}\n"),
        BadManifest("hosts to ignore as text", "wrong-type", "denied: {ignore: @@a.test}\n"),
        BadManifest("a host for builds that is an address", "invalid-host", "builds: {allow: [@@'https://a/b']}\n"),
        BadManifest("no time for builds", "invalid-value", "builds: {minutes: @@0}\n"),
        BadManifest("a size of builds in other units", "invalid-value", "builds: {size: @@4GB}\n"),
        BadManifest("two documents", "wrong-type", "{}\n--- @@{}\n"),
    ]

    @Test("A mistake in the settings is one error at its place", arguments: mistakes)
    func mistake(_ row: BadManifest) {
        let marked = MarkedText(row.text)
        let found = read(marked.text).diagnostics
        #expect(found.map(\.code) == [row.code], "\(found)")
        #expect(found.first?.location == SourceLocation(file: "config.yaml", line: marked.line, column: marked.column))
        if let wanted = row.suggestion { #expect(found.first?.suggestion?.contains(wanted) == true) }
    }
}
