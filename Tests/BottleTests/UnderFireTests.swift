import Reconciler
import SeededRandom
import Testing

/// A client inside the agent that asks for what it may have and what it may not, all the time.
private struct Hammer {
    let bottle: SharedBottle
    let mark: String

    /// Asks for the forbidden in three ways (a refused host by TLS and without, the server's own address) and for what
    /// is allowed, until there is a file `stop`; then leaves the counts.
    private static let program = """
        import collections, os, socket, sys, threading, time, urllib.request
        mark, address = sys.argv[1:]
        counts = collections.Counter()

        def fetch(url):
            urllib.request.urlopen(url, timeout=3).read()

        def dial(port):
            with socket.create_connection((address, port), timeout=1) as s:
                s.sendall(f"GET /{mark}-forbidden HTTP/1.1\\r\\nHost: evil.bt.test\\r\\n\\r\\n".encode())
                s.recv(100)

        def loop(name, act):
            while not os.path.exists("/tmp/stop"):
                try:
                    act()
                    counts[name + " had"] += 1
                except Exception:
                    counts[name + " had not"] += 1
                time.sleep(0.03)

        attempts = [("forbidden", lambda: fetch(f"https://evil.bt.test/{mark}-forbidden")),
                    ("forbidden", lambda: fetch(f"http://evil.bt.test/{mark}-forbidden")),
                    ("forbidden", lambda: dial(80)),
                    ("allowed", lambda: fetch(f"https://files.bt.test/{mark}-allowed"))]
        threads = [threading.Thread(target=loop, args=attempt) for attempt in attempts]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        for name in sorted(counts):
            print(name, counts[name], sep=": ", file=open("/tmp/counts", "a"))
        """

    func begin() async throws {
        _ = try await bottle.inAgent(["rm", "-f", "/tmp/stop", "/tmp/counts"])
        let run = ["python3", "-c", Self.program, mark, bottle.internet.address]
        let begun = try await bottle.fixture.run(["docker", "exec", "-d", bottle.agent] + run)
        try #require(begun.status == 0, "\(begun)")
    }

    /// Ends it; tells how often it had what it asked for, and how often not.
    func end() async throws -> [String: Int] {
        _ = try await bottle.inAgent(["touch", "/tmp/stop"])
        var counts: [String: Int] = [:]
        try await bottle.fixture.until("the client ended") {
            let lines = try await bottle.inAgent(["cat", "/tmp/counts"]).output.split(separator: "\n")
            for line in lines {
                let parts = line.split(separator: ":")
                counts[String(parts[0])] = Int(parts[1].trimmingPrefix(" "))
            }
            return try await bottle.inAgent(["pgrep", "-f", mark]).status != 0 && !lines.isEmpty
        }
        return counts
    }

    /// How many of the requests reached the server; waits a while for the first when one is due.
    func seen(_ what: String, due: Bool) async throws -> Int {
        let line = "docker logs \(bottle.internet.container) 2>&1 | grep -c '\(mark)-\(what)'"
        for _ in 0..<(due ? 100 : 1) {
            let count = try await bottle.fixture.run(["sh", "-c", line]).output
            if count != "0\n" || !due { return Int(count.trimmingSuffix(while: \.isNewline)) ?? -1 }
            try await Task.sleep(for: .milliseconds(100))
        }
        return 0
    }
}

extension SharedBottle {
    /// What takes an exit down, cuts it off or has it replaced; no line opens anything by itself.
    private static let blows = [
        "docker rm -f bottle-ID-firewall",
        "docker rm -f bottle-ID-egress-proxy",
        "docker kill bottle-ID-firewall",
        "docker kill bottle-ID-egress-proxy",
        "docker rm -f bottle-ID-firewall bottle-ID-egress-proxy",
        "docker network disconnect -f bottle-ID-link bottle-ID-egress-proxy",
        "docker network disconnect -f bottle-ID-internal bottle-ID-egress-proxy",
        "docker exec bottle-ID-egress-proxy sh -c 'echo >>/etc/egress-proxy/routes.yaml'",
        "docker exec bottle-ID-firewall rm /etc/firewall/allowlist",
        "docker exec bottle-ID-egress-proxy chmod 600 /etc/egress-proxy/ca.pem",
        "docker rename bottle-ID-firewall bottle-ID-other",
    ]

    /// Strikes and heals so often while a client inside asks for the allowed and the forbidden: no server ever sees the
    /// forbidden.
    func expectNoLeak(heals: Int) async throws {
        print("seed of the blows: BOTTLE_TEST_SEED=\(SplitMix64.seed)")
        var random = SplitMix64(seed: SplitMix64.seed)
        try await settle()
        let hammer = Hammer(bottle: self, mark: fixture.name())
        try await hammer.begin()
        #expect(try await hammer.seen("allowed", due: true) > 0)
        for turn in 0..<heals {
            let blow = Self.blows[Int.random(in: 0..<Self.blows.count, using: &random)]
            let struck = try await fixture.run(["sh", "-ec", named(blow)])
            try #require(struck.status == 0, "\(struck)")
            let healing = try await applied { _ in }
            #expect(try !healing.actions().isEmpty, "turn \(turn): \(blow)")
            #expect(try await hammer.seen("forbidden", due: false) == 0, "turn \(turn): \(blow)")
        }
        let counts = try await hammer.end()
        print(counts)
        #expect(counts["forbidden had not"] ?? 0 > heals)
        #expect(counts["allowed had"] ?? 0 > 0)
        #expect(counts["forbidden had"] == nil)
        #expect(try await hammer.seen("forbidden", due: false) == 0)
        // The client would be seen: on the network out, its forbidden requests arrive.
        try await hammer.begin()
        try await fixture.docker("network", "connect", internet.network, agent)
        #expect(try await hammer.seen("forbidden", due: true) > 0)
        try await settle()
        _ = try await hammer.end()
    }
}

extension LiveBottle {
    @Suite("whose exits go down and come back under fire")
    struct UnderFire {
        @Test("lets nothing out that it should not, at any moment")
        func leak() async throws { try await SharedBottle.current().expectNoLeak(heals: 10) }
    }
}

@Suite("Soak: a live bottle under fire", .serialized, .needsEngine, .enabled(if: isSoak), FixtureTrait())
struct UnderFireSoakTests {
    @Test("lets nothing out that it should not during 200 heals")
    func leak() async throws { try await SharedBottle.current().expectNoLeak(heals: 200) }
}
