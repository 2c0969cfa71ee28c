import ReconcilerEngine
import Testing

extension LiveBottle {
    @Suite("seen from its agent")
    struct FromTheAgent {
        /// A request and what becomes of it: the answer, and the credential that the server sees where it sees one.
        struct Attempt: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let arguments: [String]
            let status: Int
            /// Nil: nothing reaches the server.
            var credential: Credential? = .none

            enum Credential { case injected, absent }
        }

        static let attempts = [
            Attempt(
                testDescription: "an allowed host and path",
                arguments: ["https://api.bt.test/repos/acme/@"],
                status: 200,
                credential: .injected
            ),
            Attempt(
                testDescription: "with a key of the agent's own in place of the injected one",
                arguments: [
                    "-H", "Authorization: Bearer own", "-H", "X-Api-Key: own", "https://api.bt.test/repos/acme/@",
                ],
                status: 200,
                credential: .injected
            ),
            Attempt(
                testDescription: "a host of the allowlist, with a key and a cookie of the agent's own",
                arguments: ["-H", "Authorization: Bearer own", "-H", "Cookie: a=b", "https://files.bt.test/@"],
                status: 200,
                credential: .absent
            ),
            Attempt(
                testDescription: "a host of the allowlist by plain HTTP",
                arguments: ["http://files.bt.test/@"],
                status: 200,
                credential: .absent
            ),
            Attempt(
                testDescription: "the credential's host by plain HTTP",
                arguments: ["http://api.bt.test/repos/acme/@"],
                status: 200,
                credential: .absent
            ),
            Attempt(testDescription: "another path", arguments: ["https://api.bt.test/user/@"], status: 403),
            Attempt(
                testDescription: "a path that only begins alike",
                arguments: ["https://api.bt.test/repos/acme-private/@"],
                status: 403
            ),
            Attempt(
                testDescription: "a path with dot segments",
                arguments: ["https://api.bt.test/repos/acme/../../user/@"],
                status: 403
            ),
            Attempt(
                testDescription: "another method",
                arguments: ["-d", "x=1", "https://api.bt.test/repos/acme/@"],
                status: 403
            ),
            Attempt(testDescription: "a host that nothing names", arguments: ["https://evil.bt.test/@"], status: 403),
            Attempt(
                testDescription: "another Host in an allowed tunnel",
                arguments: ["-H", "Host: evil.bt.test", "https://files.bt.test/@"],
                status: 421
            ),
            Attempt(
                testDescription: "a git push",
                arguments: ["--data-binary", "0000", "https://files.bt.test/@.git/git-receive-pack"],
                status: 403
            ),
        ]

        @Test("a request is let out with the credential, or refused and unseen by the server", arguments: attempts)
        func through(_ attempt: Attempt) async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let mark = bottle.fixture.name()
            let arguments = attempt.arguments.map { $0.split(separator: "@", omittingEmptySubsequences: false) }
                .map { $0.joined(separator: mark) }
            #expect(try await bottle.request(arguments) == attempt.status)
            let seen = try await bottle.internet.requests(holding: mark, due: attempt.credential != nil)
            try #require(seen.count == (attempt.credential == nil ? 0 : 1))
            for request in seen {
                let expected = attempt.credential == .injected ? "Bearer \(bottle.token)" : nil
                #expect(request.headers["authorization"] == expected)
                #expect(request.headers["x-api-key"] == nil)
                #expect(request.headers["cookie"] == nil)
            }
        }

        @Test(
            "its CA is accepted, with nothing but the environment",
            arguments: [
                ["curl", "-fsS", "https://api.bt.test/repos/acme/@"],
                [
                    "python3", "-c",
                    "import urllib.request as r; assert r.urlopen('https://api.bt.test/repos/acme/@').status == 200",
                ],
                [
                    "python3", "-c",
                    "import requests; requests.get('https://api.bt.test/repos/acme/@').raise_for_status()",
                ],
                ["node", "-e", node],
                ["git", "ls-remote", "https://files.bt.test/@.git"],
            ]
        )
        func certificate(_ command: [String]) async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let mark = bottle.fixture.name()
            let run = try await bottle.inAgent(
                command.map { $0.split(separator: "@", omittingEmptySubsequences: false).joined(separator: mark) }
            )
            #expect(run.status == 0, "\(run)")
            let seen = try await bottle.internet.requests(holding: mark, due: true)
            #expect(!seen.isEmpty)
            #expect(!seen.contains { !$0.tls })
            if command[0] == "git" { #expect(run.output.contains("refs/heads/main")) }
        }

        /// A request through the proxy by CONNECT, whose certificate node checks itself.
        static let node = """
            const proxy = new URL(process.env.HTTPS_PROXY), target = 'api.bt.test:443';
            const request = {host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: target};
            require('http').request({...request, headers: {Host: target}}).on('connect', (answer, socket) => {
                const tls = require('tls').connect({socket, servername: 'api.bt.test'}, () => {
                    tls.write('GET /repos/acme/@ HTTP/1.1\\r\\nHost: api.bt.test\\r\\n\\r\\n');
                    tls.once('data', data => process.exit(data.toString().startsWith('HTTP/1.1 200') ? 0 : 2));
                });
                tls.on('error', error => { console.error(error); process.exit(3); });
            }).end();
            """

        @Test("nothing but the proxy's port is open to it")
        func pastTheProxy() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let fixture = bottle.fixture
            let link = try await fixture.engine.network("bottle-\(bottle.sample.name)-link")
            let firewall = try #require(
                try await fixture.engine.container(bottle.container("firewall")).networks[link.name]?.ipAddress
            )
            let proxy = try #require(
                try await fixture.engine.container(bottle.container("egress-proxy")).networks.values.first {
                    $0.networkID != link.id
                }?.ipAddress
            )
            // Where the host would be: the first address of each network.
            var hosts: [String] = []
            for name in [link.name, "bottle-\(bottle.sample.name)-internal", bottle.internet.network] {
                let subnet = try #require(try await fixture.engine.network(name).ipam.pools.first?.subnet)
                let base = try #require(subnet.split(separator: "/").first).split(separator: ".").compactMap { Int($0) }
                hosts.append("\(base[0]).\(base[1]).\(base[2]).\(base[3] + 1)")
            }
            let others = [firewall, bottle.internet.address, "169.254.169.254"] + hosts
            let targets =
                others.flatMap { host in [22, 80, 443, 2375, 8888, 9099].map { "\(host) \($0)" } }
                + (1...10_000).map { "\(proxy) \($0)" }
            let run = try await bottle.inAgent(["python3", "-c", Self.scan], input: targets.joined(separator: "\n"))
            #expect(run.output == "\(proxy) 9099\n", "\(run)")
        }

        /// Prints those of the targets on standard input that accept a connection.
        static let scan = """
            import concurrent.futures, socket, sys

            def opens(line):
                host, port = line.split()
                with socket.socket() as s:
                    s.settimeout(1)
                    return s.connect_ex((host, int(port))) == 0

            with concurrent.futures.ThreadPoolExecutor(64) as pool:
                lines = [line.strip() for line in sys.stdin]
                for line, is_open in zip(lines, pool.map(opens, lines)):
                    if is_open:
                        print(line)
            """

        @Test("no outside name is known to it", arguments: ["api.bt.test", "firewall", "deb.debian.org"])
        func names(_ name: String) async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let lookUp = """
                import socket, sys
                try: print(socket.gethostbyname(sys.argv[1]))
                except OSError: print('unknown')
                """
            #expect(try await bottle.inAgent(["python3", "-c", lookUp, "egress-proxy"]).output != "unknown\n")
            #expect(try await bottle.inAgent(["python3", "-c", lookUp, name]).output == "unknown\n")
        }
    }
}
