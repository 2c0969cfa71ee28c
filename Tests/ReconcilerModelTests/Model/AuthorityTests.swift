import ModelTestSupport
import ReconcilerModel
import ReconcilerTime
import Testing

/// What an edit adds and takes away, in words.
@Suite("Authority")
struct AuthorityTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let expected: [String]
        let before: @Sendable (inout BottleManifest) throws -> Void
        let after: @Sendable (inout BottleManifest) throws -> Void

        /// - Parameters:
        ///   - before: what `SampleManifest.routed` is turned into first.
        ///   - after: the edit of that.
        init(
            _ name: String,
            _ expected: [String],
            before: @escaping @Sendable (inout BottleManifest) throws -> Void = { _ in },
            _ after: @escaping @Sendable (inout BottleManifest) throws -> Void
        ) {
            testDescription = name
            self.expected = expected
            self.before = before
            self.after = after
        }
    }

    private static func host(_ text: String) -> HostPattern { SampleManifest.host(text) }
    private static func image(_ text: String) -> AgentImage {
        .reference(SampleManifest.known(try ImageReference(text)))
    }
    private static func route(_ text: String) -> Route { Route(host: host(text)) }
    private static let auth = RouteAuth(scheme: "Bearer", token: SampleManifest.token)
    private static let other = RouteAuth(scheme: "Bearer", token: SampleManifest.known(try SecretReference("OTHER")))
    private static let grant = Grant(
        id: "dev/0001",
        limits: SampleManifest.known(try GrantLimits(notAfter: Timestamp("2026-01-01T00:00:00Z"), maxUses: 2))
    )
    private static let remote = GitRemote(name: "app", upstream: "ssh://git@g.example/a.git", identityFile: "/k")

    static let hosts: [Row] = [
        Row("nothing", []) { _ in },
        Row("a host of the allowlist", ["+ host a.example", "+ write-method a.example any method"]) {
            $0.egress.allowlist.append(host("a.example"))
        },
        Row("a host goes", ["- host raw.example.org", "- write-method raw.example.org any method"]) {
            $0.egress.allowlist = []
        },
        Row("a host below an allowed wildcard", [], before: { $0.egress.allowlist = [host("*.b.example")] }) {
            $0.egress.allowlist.append(host("a.b.example"))
        },
        Row(
            "a wildcard over an allowed host",
            ["+ host *.example.org", "+ write-method *.example.org any method"]
        ) { $0.egress.allowlist = [host("*.example.org")] },
        Row("the order of the allowlist", [], before: { $0.egress.allowlist.append(host("a.example")) }) {
            $0.egress.allowlist.reverse()
        },
        Row("an allowlist entry becomes the same route", []) {
            $0.egress.allowlist = []
            $0.routes.append(route("raw.example.org"))
        },
        Row("a route that may only be read", ["+ host a.example"]) {
            $0.routes.append(Route(host: host("a.example"), methods: .only(["GET", "HEAD"])))
        },
        Row(
            "a route that may be written to below a path",
            ["+ host a.example", "+ write-method a.example PUT", "+ path a.example /x/"]
        ) {
            $0.routes.append(Route(host: host("a.example"), methods: .only(["GET", "PUT"]), pathAllowlist: ["/x/"]))
        },
        Row(
            "a limited route below an open wildcard takes away",
            ["- write-method a.b.example any method"],
            before: { $0.egress.allowlist = [host("*.b.example")] }
        ) { $0.routes.append(Route(host: host("a.b.example"), methods: .only(["GET"]))) },
        Row(
            "a route goes from below an open wildcard",
            ["+ path docs.example.com any path"],
            before: {
                $0.routes[1].pathAllowlist = ["/a"]
                $0.egress.allowlist = [host("*.example.com")]
            }
        ) { $0.routes.remove(at: 1) },
        Row("a route on another port", ["+ host a.example:8443", "+ write-method a.example any method"]) {
            $0.routes.append(Route(host: host("a.example"), port: 8443))
        },
        Row("the port of a route", ["+ port docs.example.com:8443", "- port docs.example.com:443"]) {
            $0.routes[1].port = 8443
        },
        Row("a route goes", ["- host docs.example.com", "- write-method docs.example.com any method"]) {
            $0.routes.remove(at: 1)
        },
    ]

    static let requests: [Row] = [
        Row("a method that writes", ["+ write-method api.example.com POST"]) {
            $0.routes[0].methods = .only(["GET", "HEAD", "POST"])
        },
        Row("a method of one's own", ["+ write-method api.example.com PURGE"]) {
            $0.routes[0].methods = .only(["GET", "HEAD", "PURGE"])
        },
        Row("a method that reads", ["+ read-method api.example.com OPTIONS"]) {
            $0.routes[0].methods = .only(["GET", "HEAD", "OPTIONS"])
        },
        Row("every method", ["+ write-method api.example.com any method"]) { $0.routes[0].methods = .any },
        Row("a method goes", ["- read-method api.example.com HEAD"]) { $0.routes[0].methods = .only(["GET"]) },
        Row("one method for another", ["+ write-method api.example.com POST", "- read-method api.example.com HEAD"]) {
            $0.routes[0].methods = .only(["GET", "POST"])
        },
        Row("the order of methods", []) { $0.routes[0].methods = .only(["HEAD", "GET"]) },
        Row("every method no more", ["- write-method docs.example.com any method"]) {
            $0.routes[1].methods = .only(["GET"])
        },
        Row("a path", ["+ path api.example.com /x/"]) { $0.routes[0].pathAllowlist.append("/x/") },
        Row("a path below one that there is", []) { $0.routes[0].pathAllowlist.append("/repos/acme/app") },
        Row("a wider path", ["+ path api.example.com /repos/"]) { $0.routes[0].pathAllowlist = ["/repos/"] },
        Row("a narrower path", ["- path api.example.com /repos/acme/"]) {
            $0.routes[0].pathAllowlist = ["/repos/acme/app/"]
        },
        Row(
            "a sibling with the same beginning",
            ["+ path api.example.com /ab"],
            before: { $0.routes[0].pathAllowlist = ["/a"] }
        ) {
            $0.routes[0].pathAllowlist = ["/a", "/ab"]
        },
        Row("the folder itself", ["+ path api.example.com /repos/acme"]) {
            $0.routes[0].pathAllowlist = ["/repos/acme"]
        },
        Row("every path", ["+ path api.example.com any path"]) { $0.routes[0].pathAllowlist = [] },
        Row("every path, spelt as a slash", [], before: { $0.routes[0].pathAllowlist = [] }) {
            $0.routes[0].pathAllowlist = ["/"]
        },
        Row("the same path spelt otherwise", [], before: { $0.routes[0].pathAllowlist = ["/a"] }) {
            $0.routes[0].pathAllowlist = ["/%61"]
        },
        Row("WebSockets", ["+ websocket docs.example.com"]) { $0.routes[1].allowsWebSocket = true },
        Row("WebSockets no more", ["- websocket docs.example.com"], before: { $0.routes[1].allowsWebSocket = true }) {
            $0.routes[1].allowsWebSocket = false
        },
        Row("the agent's own credentials", ["+ client-auth docs.example.com"]) { $0.routes[1].allowsClientAuth = true },
        Row("a credential", ["+ credential TOKEN_A (Bearer) to docs.example.com"]) { $0.routes[1].auth = auth },
        Row("a credential no more", ["- credential TOKEN_A (Bearer) to api.example.com"]) { $0.routes[0].auth = nil },
        Row(
            "another credential",
            [
                "+ credential OTHER (Bearer) to api.example.com",
                "- credential TOKEN_A (Bearer) to api.example.com",
            ]
        ) { $0.routes[0].auth = other },
        Row("the header's case", []) {
            $0.routes[0].auth = RouteAuth(header: "authorization", scheme: "Bearer", token: SampleManifest.token)
        },
        Row("a role", ["+ role claude_code_oauth by api.example.com"]) { $0.routes[0].roles = [.claudeCodeOAuth] },
        Row(
            "a path for a time",
            ["+ grant api.example.com GET,HEAD /x (until 2026-01-01T00:00:00Z, 2 uses; dev/0001)"]
        ) {
            $0.routes[0].widenings = [
                Widening(grant: grant, scope: RequestScope(methods: .only(["GET", "HEAD"]), paths: ["/x"]))
            ]
        },
        Row("for a time what is open anyhow", []) {
            $0.routes[1].widenings = [
                Widening(grant: grant, scope: RequestScope(methods: .only(["GET"]), paths: ["/x"]))
            ]
        },
        Row(
            "a host for a time",
            ["+ grant a.example any method any path (until 2026-01-01T00:00:00Z, 2 uses; dev/0001)"]
        ) { $0.routes.append(Route(host: host("a.example"), grant: grant)) },
        Row(
            "a host for ever that was for a time",
            ["+ host a.example", "+ write-method a.example any method"],
            before: { $0.routes.append(Route(host: host("a.example"), grant: grant)) }
        ) { $0.routes[2].grant = nil },
    ]

    static let ways: [Row] = [
        Row("no firewall", ["+ no-firewall every host"]) { $0.egress.firewall = .none },
        Row("a firewall that scans", ["- unscanned every host"]) { $0.egress.firewall = .pipelock },
        Row(
            "from scanning to none",
            ["+ no-firewall every host", "+ unscanned every host"],
            before: { $0.egress.firewall = .pipelock }
        ) {
            $0.egress.firewall = .none
        },
        Row("a host is no longer scanned", ["+ passthrough a.example"], before: { $0.egress.firewall = .pipelock }) {
            $0.egress.passthrough = [host("a.example")]
        },
        Row("passthrough where nothing scans", []) { $0.egress.passthrough = [host("a.example")] },
        Row(
            "passthrough below a wildcard",
            [],
            before: {
                $0.egress.firewall = .pipelock
                $0.egress.passthrough = [host("*.b.example")]
            }
        ) { $0.egress.passthrough.append(host("a.b.example")) },
        Row(
            "nothing judges requests any more",
            [
                "+ tunnel raw.example.org", "- host docs.example.com", "+ client-auth raw.example.org",
                "- write-method docs.example.com any method", "+ websocket raw.example.org",
            ],
            before: { $0.routes.remove(at: 0) }
        ) { $0.routes = [] },
        Row(
            "no way out at all",
            [
                "- unscanned every host", "- tunnel raw.example.org", "- host raw.example.org",
                "- client-auth raw.example.org", "- write-method raw.example.org any method",
                "- websocket raw.example.org",
            ],
            before: { $0.routes = [] }
        ) { $0.egress.firewall = .none },
        Row(
            "a host where there is no way out",
            [],
            before: {
                $0.routes = []
                $0.egress.firewall = .none
            }
        ) { $0.egress.allowlist.append(host("a.example")) },
        Row("a network of one's own", ["+ egress-network corp"]) { $0.egress.network = "corp" },
        Row("another network", ["+ egress-network b", "- egress-network a"], before: { $0.egress.network = "a" }) {
            $0.egress.network = "b"
        },
        Row("a private range", ["+ private-range 10.0.0.0/24"]) {
            $0.egress.privateRanges = [try IPv4Block("10.0.0.0/24")]
        },
        Row(
            "a private range in two halves",
            [],
            before: { $0.egress.privateRanges = [try IPv4Block("10.0.0.0/24")] }
        ) { $0.egress.privateRanges = [try IPv4Block("10.0.0.128/25"), try IPv4Block("10.0.0.0/25")] },
        Row(
            "a smaller private range",
            ["- private-range 10.0.0.0/24"],
            before: { $0.egress.privateRanges = [try IPv4Block("10.0.0.0/24")] }
        ) {
            $0.egress.privateRanges = [try IPv4Block("10.0.0.0/25")]
        },
        Row("a fixed address", ["+ extra-host a.example is 10.0.0.7"]) {
            $0.egress.extraHosts = ["a.example": try IPv4Address("10.0.0.7")]
        },
        Row(
            "another fixed address",
            ["+ extra-host a.example is 10.0.0.8", "- extra-host a.example is 10.0.0.7"],
            before: { $0.egress.extraHosts = ["a.example": try IPv4Address("10.0.0.7")] }
        ) { $0.egress.extraHosts = ["a.example": try IPv4Address("10.0.0.8")] },
        Row("the spelling of a root", [], before: { $0.egress.trust = [.pem("A\nB\n-----END\n")] }) {
            $0.egress.trust = [.pem("A\n  B\n-----END")]
        },
        Row("a root", ["+ trust-root file x.pem"]) { $0.egress.trust = [.file("x.pem")] },
        Row(
            "a push target",
            [
                "+ push-target app: ssh://git@g.example/a.git with /k", "+ push-ref app refs/heads/*",
                "+ push-ref app refs/tags/*",
            ]
        ) { $0.git = [remote] },
        Row("fewer refs", ["- push-ref app refs/heads/*", "- push-ref app refs/tags/*"], before: { $0.git = [remote] })
        {
            $0.git[0].refs = ["refs/heads/agent/*"]
        },
        Row("files that aren't scanned", ["+ push-unscanned app *.png"], before: { $0.git = [remote] }) {
            $0.git[0].allowBinary = ["*.png"]
        },
    ]

    static let agents: [Row] = [
        Row("a mount", ["+ mount /src"]) { $0.agent.workspace = Workspace(mode: .mount, path: "/src") },
        Row(
            "a copy for a mount",
            ["- mount /src", "+ copy /src"],
            before: { $0.agent.workspace = Workspace(mode: .mount, path: "/src") }
        ) {
            $0.agent.workspace.mode = .copy
        },
        Row("a folder that is not used", []) { $0.agent.workspace = Workspace(mode: .none, path: "/src") },
        Row("a skill", ["+ skill /s"]) { $0.agent.skills = ["/s"] },
        Row("another image", ["+ image x/y", "- image bottle/agent"]) { $0.agent.image = image("x/y") },
        Row(
            "another Dockerfile",
            [
                "+ image built from bbbbbbbbbbbbbbbb Dockerfile", "- image built from aaaaaaaaaaaaaaaa Dockerfile",
            ],
            before: {
                let digest = try ContentDigest(hex: String(repeating: "a", count: 64))
                $0.agent.image = .build(BuildSource(context: "/c", pinned: digest))
            }
        ) {
            let digest = try ContentDigest(hex: String(repeating: "b", count: 64))
            $0.agent.image = .build(BuildSource(context: "/c", pinned: digest))
        },
        Row("another runtime", ["+ runtime runsc", "- runtime the engine's own"]) { $0.agent.runtime = "runsc" },
        Row("another user", ["+ user root", "- user the image's own"]) { $0.agent.user = "root" },
        Row("another command", ["+ command agent 'a b'", "- command agent"]) { $0.agent.command = ["agent", "a b"] },
        Row("a variable, never its value", ["+ environment KEY"]) { $0.agent.environment["KEY"] = .literal("s3cret") },
        Row("the value of a variable", ["+ environment TZ", "- environment TZ"]) {
            $0.agent.environment["TZ"] = .literal("CET")
        },
        Row("a variable of the person's", ["+ host-environment KEY from MINE"]) {
            $0.agent.environment["KEY"] = .fromHost("MINE")
        },
        Row("another restart", ["+ restart always", "- restart never"]) { $0.agent.restart = .always },
        Row("more memory", ["+ resource memory 8589934592 bytes", "- resource nothing"].filter { $0.hasPrefix("+") }) {
            $0.agent.resources.memory = 8 << 30
        },
        Row("fewer processors", ["- resource cpus 2"]) { $0.agent.resources.milliCPUs = 1500 },
        Row("any number of processes", ["+ resource pids without limit"]) { $0.agent.resources.pids = nil },
        Row("may ask for more", ["+ supervise the agent may ask for more"]) { $0.supervise = true },
        Row("prompt and labels", []) {
            $0.agent.prompt = .text("Do something else.")
            $0.labels = ["a": "b"]
        },
    ]

    @Test("says what an edit adds and takes away", arguments: hosts + requests + ways + agents)
    func table(_ row: Row) throws {
        var before = SampleManifest.routed
        try row.before(&before)
        var after = before
        try row.after(&after)
        let changes = Authority.changes(from: before, to: after)
        #expect(changes.map(\.text).sorted() == row.expected.sorted())
        #expect(changes == changes.sorted())
    }

    @Test("has rows enough to be a table")
    func count() { #expect((Self.hosts + Self.requests + Self.ways + Self.agents).count >= 60) }

    @Test("of a new bottle is everything, and of a deleted one the same taken away")
    func whole() {
        let added = Authority.changes(from: nil, to: SampleManifest.routed)
        let removed = Authority.changes(from: SampleManifest.routed, to: nil)
        #expect(added.allSatisfy { $0.change == .added } && removed.allSatisfy { $0.change == .removed })
        #expect(added.map(\.kind) == removed.map(\.kind))
        #expect(added.contains { $0.text == "+ credential TOKEN_A (Bearer) to api.example.com" })
        #expect(added.contains { $0.kind == .image } && added.contains { $0.kind == .unscanned })
    }

    @Test(
        "mirrors itself, is nothing between equals, and between states without a difference of authority",
        arguments: 0..<20
    )
    func mirror(_ block: Int) throws {
        for offset in 0..<50 {
            let seed = UInt64(block * 50 + offset)
            var draw = Draw(seed: seed)
            let (one, two) = (try draw.manifest(), try draw.manifest())
            let there = Authority.changes(from: one, to: two)
            let back = Authority.changes(from: two, to: one).map { change in
                AuthorityChange(change.change == .added ? .removed : .added, change.kind, change.subject)
            }
            #expect(there == back.sorted(), "seed \(seed)")
            #expect(Authority.changes(from: one, to: one) == [], "seed \(seed)")
            if there.isEmpty {
                #expect(Reaching(one) == Reaching(two), "seed \(seed)")
            } else {
                #expect(one != two, "seed \(seed)")
            }
        }
    }
}

/// What a manifest lets through, asked request by request: a second opinion on `Authority`.
struct Reaching: Equatable {
    var requests: [String: String] = [:]

    init(_ manifest: BottleManifest) {
        let names = [
            "a.example", "b.example", "c.example", "x.d.example", "x.y.d.example", "e.example", "docs.example.com",
        ]
        for name in names + ["api.example.com", "raw.example.org"] {
            for method in ["GET", "POST", "PURGE"] {
                for path in ["/", "/a/x", "/b/x", "/repos/acme/x"] {
                    requests["\(method) \(name)\(path)"] = Self.answer(manifest, name, method, path)
                }
            }
        }
    }

    private static func answer(_ manifest: BottleManifest, _ name: String, _ method: String, _ path: String) -> String {
        let proxied = !manifest.routes.isEmpty
        guard proxied || manifest.egress.firewall != .none else { return "refused" }
        let listed = manifest.egress.allowlist.filter { $0.matches(name) }
        let routes = manifest.routes.filter { $0.host.matches(name) }
        let best = (listed + routes.map(\.host)).max {
            $0.text.replacing("*.", with: "").count < $1.text.replacing("*.", with: "").count
        }
        guard let best else { return "refused" }
        guard let route = routes.first(where: { $0.host == best }) else { return proxied ? "open" : "tunnel" }
        if case .only(let methods) = route.methods, !methods.contains(method) { return "refused" }
        let isBelow = route.pathAllowlist.isEmpty || route.pathAllowlist.contains { path.hasPrefix($0) }
        guard isBelow else { return "refused" }
        return route.auth.map { "as \($0.token)" } ?? "open"
    }
}
