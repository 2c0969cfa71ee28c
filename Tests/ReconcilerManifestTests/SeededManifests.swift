import ReconcilerModel
import SeededRandom

/// Valid manifests with values that are hard to write.
struct ManifestMaker {
    var generator: SplitMix64

    init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    mutating func manifest() throws -> BottleManifest {
        let environment = try table(5) { maker in
            (
                maker.pick(["A", "_B1", "Path", "NO", "y", "null", "true"]),
                maker.chance() ? .literal(maker.text()) : EnvironmentValue.fromHost(maker.pick(["HOME", "y"]))
            )
        }
        let agent = AgentSpec(
            image: try image(),
            command: chance() ? [pick(["run", "true", "123", "a b"])] + list(3) { $0.text() } : [],
            user: pick([nil, "node", "1000", "1000:1000", "yes"]),
            home: pick([nil, "/home/node", "/h e"]),
            restart: pick(RestartPolicy.allCases),
            prompt: pick([nil, .text(text()), .text(text() + "\n" + text() + "\n"), .file("a b/ü.md")]),
            skills: list(2) { $0.pick(["~/s", "./a: b", "- x", "#x"]) },
            environment: environment,
            workspace: pick([
                Workspace(), Workspace(mode: .copy, path: "."), Workspace(mode: .mount, path: "~/x y"),
                Workspace(mode: .none, path: "a"),
            ]),
            resources: Resources(
                milliCPUs: pick([nil, 10, 1000, 1500, 125, 1_024_000]),
                memory: pick([nil, 6 << 20, 4 << 30, 6_291_457, 1 << 50]),
                pids: pick([nil, 1, 4096])
            ),
            runtime: pick([nil, "runc", "true"])
        )
        let egress = EgressSpec(
            firewall: pick(EgressSpec.Firewall.allCases),
            allowlist: try hosts(["a.example", "*.b.example", "no", "xn--bcher-kva.example", "12.e4"]),
            passthrough: try hosts(["c.example", "null", "on.example"]),
            network: pick([nil, "corp", "on", "1e5"]),
            extraHosts: chance() ? ["h.example": try IPv4Address("10.0.0.7")] : [:],
            privateRanges: chance() ? [try IPv4Block("10.0.0.0/24"), try IPv4Block("192.168.0.0/16")] : [],
            trust: list(2) { $0.pick([.file("ca.pem"), .file("~/true")]) }
        )
        return BottleManifest(
            identity: try Identity(pick(["dev", "true", "123", "0x1", "1e3", "null", "y", "a-b"])),
            labels: try table(3) { ($0.pick(["team", "true", "a/b", "1"]), $0.pick(["", "no", "1", "ü: #", "'"])) },
            agent: agent,
            egress: egress,
            routes: try routes(),
            git: chance() ? [git()] : [],
            supervise: chance()
        )
    }

    private mutating func image() throws -> AgentImage {
        guard chance() else {
            return .reference(try ImageReference(pick(["a", "r.example:5000/a/b:1", "a@sha256:00", "1", "true"])))
        }
        let pinned = chance() ? ContentDigest(of: text()) : nil
        return .build(
            BuildSource(
                context: pick([".", "/a b", "~"]),
                dockerfile: pick(["Dockerfile", "d/x"]),
                pinned: pinned,
                base: pinned != nil && chance() ? try ImageID("sha256:\(ContentDigest(of: text()))") : nil
            )
        )
    }

    private mutating func routes() throws -> [Route] {
        try hosts(["r.example", "*.s.example", "123.t", "u.example"]).enumerated().map { index, host in
            Route(
                host: host,
                port: pick([443, 8443, 1]),
                roles: index == 0 && chance() ? [.claudeCodeOAuth] : [],
                methods: pick([.any, .only(["GET"]), .only(["GET", "X-Y"])]),
                pathAllowlist: pick([[], ["/"], ["/a/", "/b%20c", "/~x"]]),
                auth: pick([
                    nil, RouteAuth(token: try SecretReference("T")),
                    RouteAuth(header: "X-Key", scheme: pick([nil, "Bearer", "!"]), token: try SecretReference("_y")),
                ]),
                allowsClientAuth: chance(),
                allowsWebSocket: chance()
            )
        }
    }

    private mutating func git() -> GitRemote {
        GitRemote(
            name: pick(["app", "no", "1"]),
            upstream: "ssh://git@git.example.org:2222/a/b.git",
            identityFile: pick(["~/.ssh/id", "k"]),
            refs: pick([[], ["refs/heads/*", "refs/tags/v1"]]),
            allowBinary: pick([[], ["*.png", "[a].x", "!x"]])
        )
    }

    /// Text that a careless writer of YAML would change.
    mutating func text() -> String {
        let pieces = [
            "a", " ", "  ", "\n", "\n\n", "\t", ": ", " #", "'", "\"", "\\", "-", "- ", "?", "%", "@", "`", "{", "}",
            "[", "]", ",", "&a", "*a",
            "!", "|", ">", "~", "null", "true", "no", "1", "0x1", "\r", "\r\n", "\u{85}", "\u{2028}", "\u{FEFF}",
            "\u{202E}", "\u{7F}", "\u{1}",
            "ü", "e\u{301}", "\u{301}", "漢", "😀", "\u{10FFFD}", "---", "...", "\u{A0}", "\u{E000}",
        ]
        return (0..<Int.random(in: 0...8, using: &generator)).map { _ in pick(pieces) }.joined()
    }

    mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &generator)]
    }

    mutating func chance() -> Bool { Bool.random(using: &generator) }

    private mutating func list<Value>(_ most: Int, _ make: (inout ManifestMaker) -> Value) -> [Value] {
        (0..<Int.random(in: 0...most, using: &generator)).map { _ in make(&self) }
    }

    private mutating func table<Value>(_ most: Int, _ make: (inout ManifestMaker) throws -> (String, Value)) throws
        -> [String: Value]
    {
        var table: [String: Value] = [:]
        for _ in 0..<Int.random(in: 0...most, using: &generator) {
            let (key, value) = try make(&self)
            table[key] = value
        }
        return table
    }

    private mutating func hosts(_ names: [String]) throws -> [HostPattern] {
        try names.filter { _ in chance() }.map { try HostPattern($0) }
    }
}
