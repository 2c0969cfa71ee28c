import FoundationEssentials
import Subprocess

/// What the way through egress-proxy and firewall costs, beside a direct connection and the same two programs bare.
///
///     direct   client -> server                        squid   client -> bare squid -> server
///     pair     client -> bare mitmdump -> bare squid -> server
///     bottle   agent  -> egress-proxy  -> firewall   -> server, made by `bottle apply`; `old` by the old executable
struct WallsBench: Sendable {
    let session: Session
    private var first: Contender { session.contenders[0] }
    var ways: [String] { ["direct", "squid", "pair"] + session.contenders.map(\.way) }

    private static let near = "bottle-bench-near", between = "bottle-bench-between"
    private static let small = "kept-alive GET", many = "50 clients, rate"

    static func measure(_ session: Session, rounds: Int) async throws {
        let bench = WallsBench(session: session)
        try await bench.start()
        for way in bench.ways {
            _ = try await bench.samples(way, "kept", ["200"])
            _ = try await bench.samples(way, "download", ["100M"])
        }
        for round in 0..<rounds {
            note("round \(round + 1) of \(rounds)")
            try await bench.round(round)
        }
        note("1 GiB each way")
        try await bench.sampling("while 1 GiB streams") {
            try await bench.record("download-gigabyte", "download of 1 GiB", "1G", unit: "MB/s", bench.bottles(0))
            try await bench.record("upload-gigabyte", "upload of 1 GiB", "1G", unit: "MB/s", bench.bottles(0))
        }
        bench.compare()
        try await session.clear()
    }

    // MARK: - What is measured

    /// A line a sample, as `measure` in the client's image prints them.
    func samples(_ way: String, _ what: String, _ count: [String]) async throws -> [Substring] {
        let proxies = ["direct": "direct", "squid": "http://squid:3128", "pair": "http://mitmdump:8080"]
        let client = proxies[way] == nil ? "inside-\(way)" : "outside"
        let proxy = proxies[way] ?? "http://egress-proxy:9099"
        return try await docker(
            ["exec", "bottle-bench-\(client)", "measure", what, Engine.host, proxy, "/etc/bench/\(way).pem"]
                + count
        ).split(separator: "\n")
    }

    /// In turn; who of the contenders goes first changes.
    private func turn(_ round: Int) -> [String] { ["direct", "squid", "pair"] + bottles(round) }

    private func bottles(_ round: Int) -> [String] { session.contenders(round).map(\.way) }

    /// - Parameter words: A line that begins with one of these is a sample of the name beside it.
    private func record(
        _ what: String,
        _ name: String,
        _ count: String? = nil,
        unit: String = "ms",
        _ ways: [String],
        words: [String: (name: String, unit: String)] = [:]
    ) async throws {
        let sheet = session.sheet("walls")
        for way in ways {
            let lines = try await samples(way, what, count.map { [$0] } ?? []).map { $0.split(separator: " ") }
            sheet.add(name, way, all: lines.compactMap { $0.count == 1 ? Double($0[0]) : nil }, unit: unit)
            for line in lines where line.count == 2 {
                guard let named = words[String(line[0])], let value = Double(line[1]) else { continue }
                sheet.add(named.name, way, value, unit: named.unit)
            }
        }
    }

    private func round(_ round: Int) async throws {
        let ways = turn(round)
        try await record("kept", Self.small, "1000", ways)
        try await record("new", "new connection", "150", ways)
        try await sampling("at 50 clients") {
            try await record("crowd", "50 clients", "4", ways, words: ["rate": (Self.many, "requests/s")])
        }
        for _ in 0..<3 {
            try await record("download", "download of 100 MB", "100M", unit: "MB/s", ways)
            try await record("upload", "upload of 100 MB", "100M", unit: "MB/s", ways)
            try await record("upload-chunked", "upload of 100 MB, chunked", "100M", unit: "MB/s", ways)
        }
        try await record("events", "delay of an event", nil, ways, words: ["first": ("first event", "ms")])
        try await record("socket", "WebSocket echo", "300", ways)
        try await record("refusal", "refusal, body still open", "10", bottles(round))
    }

    /// Notes the most memory of each sidecar meanwhile, as `docker stats` tells it about once a second.
    private func sampling(_ during: String, _ body: () async throws -> Void) async throws {
        let log = "\(Place.cache)/memory"
        var sidecars = [("mitmdump", "pair", "bottle-bench-mitmdump"), ("squid", "squid", "bottle-bench-squid")]
        for contender in session.contenders {
            for role in ["egress-proxy", "firewall"] {
                sidecars.append((role, contender.way, contender.container("walls", role)))
            }
        }
        let command = Command(["docker", "stats", "--format", "{{.Name}} {{.MemUsage}}"] + sidecars.map(\.2))
        // It goes on after a SIGTERM.
        try await command.running(output: log, end: .kill) { _ in try await body() }
        let sample = /(bottle-bench-\S+) ([0-9.]+)([KMG])iB/
        var most: [Substring: Double] = [:]
        for match in text(of: log).matches(of: sample) {
            let scale = match.3 == "G" ? 1024 : match.3 == "K" ? 1 / 1024.0 : 1
            most[match.1] = max(most[match.1] ?? 0, (Double(match.2) ?? 0) * scale)
        }
        for (role, way, container) in sidecars {
            guard let size = most[Substring(container)] else { continue }
            session.sheet("walls").add("memory of \(role) \(during)", way, size, unit: "MiB")
        }
    }

    private func compare() {
        let sheet = session.sheet("walls")
        for contender in session.contenders {
            guard let through = sheet.result(Self.small, contender.way), let direct = sheet.result(Self.small, "direct")
            else { continue }
            sheet.add("added to a kept-alive GET, p50", contender.way, through.p50 - direct.p50)
            sheet.add("added to a kept-alive GET, p99", contender.way, through.p99 - direct.p99)
        }
        sheet.compare(Self.small, with: "direct")
        sheet.compare("added to a kept-alive GET, p50", atMost: 1.2)
        sheet.compare("added to a kept-alive GET, p99", atMost: 2.5)
        sheet.compare(Self.many, with: "pair", atLeast: 1.2)
        sheet.compare("new connection", atMost: 12)
        for name in ["download of 100 MB", "upload of 100 MB", "upload of 100 MB, chunked"] {
            sheet.compare(name, with: "direct", atLeast: 0.35)
        }
        sheet.compare("refusal, body still open", .p99, atMost: 100)
        for during in ["at 50 clients", "while 1 GiB streams"] {
            sheet.compare("memory of egress-proxy \(during)", .max, atMost: 110)
            sheet.compare("memory of firewall \(during)", .max, atMost: 40)
        }
    }

    // MARK: - What it is measured on

    func start() async throws {
        let subnet = try await Engine.startServer()
        _ = try await Engine.makeNetwork(Self.near, "--internal")
        _ = try await Engine.makeNetwork(Self.between, "--internal")
        try await startPeers()
        for contender in session.contenders { try await startBottle(contender, subnet: subnet) }
        try await startClients()
    }

    /// The same mitmproxy without an addon and the same squid that lets everything pass.
    private func startPeers() async throws {
        try await Engine.create(
            "squid",
            ["--network", Self.between, "--network-alias", "squid", "--entrypoint", "squid", first.image("firewall")]
                + ["-N", "-f", "/etc/squid.conf"]
        )
        let settings = [
            "http_port 3128", "http_access allow all", "cache deny all", "pid_filename none", "access_log none",
            "cache_log stdio:/dev/stderr", "pinger_enable off", "",
        ]
        try writeFile(settings.joined(separator: "\n"), to: "\(Place.cache)/squid.conf")
        try await Engine.give("squid", "squid.conf", as: "/etc/squid.conf")
        try await docker("network", "connect", Engine.outer, "bottle-bench-squid")
        try await Engine.start("squid")
        try await Engine.create(
            "mitmdump",
            ["--network", Self.near, "--network-alias", "mitmdump", "--entrypoint", "/opt/venv/bin/mitmdump"]
                + ["--user", "0:0", first.image("egress-proxy"), "--mode", "upstream:http://squid:3128"]
                + ["--listen-port", "8080", "--set", "confdir=/tmp/mitmproxy", "--set", "stream_large_bodies=1m"]
                + ["--set", "ssl_verify_upstream_trusted_ca=/etc/server.pem"]
        )
        try await Engine.give("mitmdump", "server.pem", as: "/etc/server.pem")
        try await docker("network", "connect", Self.between, "bottle-bench-mitmdump")
        try await Engine.start("mitmdump")
    }

    private func startBottle(_ contender: Contender, subnet: String) async throws {
        let manifest = "\(contender.folder)/walls.yaml"
        try writeFile(
            """
            apiVersion: bottle/v1
            kind: Bottle
            metadata: {name: \(contender.bottle("walls"))}
            spec:
              agent: {image: \(contender.image("agent")), command: [sleep, infinity]}
              egress:
                firewall: squid
                network: \(Engine.outer)
                private: [\(subnet)]
                trust: [\(Engine.certificate)]
              egress_proxy:
                routes:
                  - host: \(Engine.host)
                    methods: any
                    auth: {scheme: Bearer, token_ref: BENCH_TOKEN}
                    path_allowlist: [/v1/]
                    websocket: true

            """,
            to: manifest
        )
        try await contender.apply(manifest)
    }

    /// `inside` stands in an agent's own network, `outside` on those of the peers and the server.
    private func startClients() async throws {
        let files = "mkdir -p /srv/v1/files && cd /srv/v1/files && truncate -s 100M 100M && truncate -s 1G 1G"
        let client = ["--tmpfs", "/srv", Engine.tools, "sh", "-c", "\(files) && exec sleep infinity"]
        for contender in session.contenders {
            let inside = "inside-\(contender.way)"
            let agent = contender.container("walls", "agent")
            try await Engine.create(inside, ["--network", "container:\(agent)"] + client)
            let proxy = contender.container("walls", "egress-proxy")
            try await docker("cp", "-L", "\(proxy):/etc/egress-proxy/ca.pem", "\(Place.cache)/ca.pem")
            let certificate = try await Command(["openssl", "x509", "-in", "\(Place.cache)/ca.pem"]).run()
            try writeFile(certificate, to: "\(Place.cache)/ca.pem")
            try await Engine.give(inside, "ca.pem", as: "/etc/bench/\(contender.way).pem")
            try await Engine.start(inside)
        }
        try await Engine.create("outside", ["--network", Engine.outer] + client)
        for network in [Self.between, Self.near] {
            try await docker("network", "connect", network, "bottle-bench-outside")
        }
        try await Engine.start("outside")
        let authority = try await docker("exec", "bottle-bench-mitmdump", "cat", "/tmp/mitmproxy/mitmproxy-ca-cert.pem")
        try writeFile(authority + "\n", to: "\(Place.cache)/pair.pem")
        for (file, way) in [("server", "direct"), ("server", "squid"), ("pair", "pair")] {
            try await Engine.give("outside", "\(file).pem", as: "/etc/bench/\(way).pem")
        }
    }
}
