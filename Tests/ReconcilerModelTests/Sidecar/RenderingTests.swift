import ModelTestSupport
import ReconcilerModel
import ReconcilerTime
import Testing

@Suite("rendering")
struct RenderingTests {
    private func bottle(_ manifest: BottleManifest) throws -> DesiredBottle {
        try DesiredBottle(rendering: SampleManifest.input(manifest))
    }

    private func text(_ container: DesiredContainer?, _ path: String) -> String {
        String(decoding: container?.files.first { $0.path == path }?.content ?? [], as: UTF8.self)
    }

    @Test(
        "a manifest's parts and networks follow from its routes and its firewall",
        arguments: [
            (SampleManifest.routed, "firewall egress-proxy agent", "internal link egress", "egress-proxy"),
            (SampleManifest.unrouted, "firewall agent", "internal egress", "firewall"),
            (SampleManifest.unwalled, "egress-proxy agent", "internal egress", "egress-proxy"),
        ] as [(BottleManifest, String, String, String)]
    )
    func topology(_ manifest: BottleManifest, _ roles: String, _ networks: String, _ proxy: String) {
        let topology = Topology(manifest)
        #expect(topology.roles.map(\.rawValue).joined(separator: " ") == roles)
        #expect(topology.networks.map(\.rawValue).joined(separator: " ") == networks)
        #expect(topology.facingProxy?.rawValue == proxy)
        #expect(topology.networks(of: .agent) == [.internal])
    }

    @Test("without routes and firewall there is no way out, whatever egress network is named")
    func noWayOut() throws {
        var manifest = SampleManifest.unrouted
        manifest.egress.firewall = .none
        manifest.egress.network = "corp"
        let bottle = try bottle(manifest)
        #expect(bottle.networks.map(\.name) == ["bottle-dev-internal"])
        #expect(bottle.containers.map(\.role) == [.agent])
        #expect(bottle.container(.agent)?.spec.environment["HTTP_PROXY"] == nil)
    }

    @Test("all networks but egress are internal, and no address of the host is on them")
    func networks() throws {
        for network in try bottle(SampleManifest.routed).networks {
            #expect(network.isInternal == (network.role != .egress))
            #expect((network.options["com.docker.network.bridge.inhibit_ipv4"] == "true") == network.isInternal)
        }
    }

    @Test("a bottle without planned addresses is an error, not a bottle on networks of others")
    func addressesMissing() throws {
        var input = try SampleManifest.input(SampleManifest.routed)
        input.addresses[.egress] = nil
        let error = #expect(throws: BottleError.self) { try DesiredBottle(rendering: input) }
        #expect(error?.code == .addressMissing)
    }

    @Test("the routes file is what the addon reads, with slots in place of credentials")
    func routesTable() throws {
        let text = text(try bottle(SampleManifest.routed).container(.egressProxy), "/etc/egress-proxy/routes.yaml")
        #expect(
            text
                == """
                {
                  "allowlist" : [
                    "raw.example.org"
                  ],
                  "routes" : [
                    {
                      "auth" : {
                        "header" : "Authorization",
                        "scheme" : "Bearer",
                        "slot" : "BOTTLE_CREDENTIAL_TOKEN_A"
                      },
                      "client_auth" : false,
                      "host" : "api.example.com",
                      "methods" : [
                        "GET",
                        "HEAD"
                      ],
                      "paths" : [
                        "/repos/acme/"
                      ],
                      "port" : 443,
                      "websocket" : false
                    },
                    {
                      "auth" : null,
                      "client_auth" : false,
                      "host" : "docs.example.com",
                      "methods" : null,
                      "paths" : [

                      ],
                      "port" : 443,
                      "websocket" : false
                    }
                  ],
                  "version" : 1
                }

                """
        )
    }

    @Test("the firewall allows the routes' hosts at their ports and the allowlist, sorted and once")
    func permissions() {
        var manifest = SampleManifest.routed
        manifest.routes.append(Route(host: SampleManifest.host("*.a.example"), port: 8443))
        manifest.egress.allowlist.append(SampleManifest.host("docs.example.com"))
        #expect(
            Firewall.permissions(of: manifest) == [
                "*.a.example 8443", "api.example.com 443", "docs.example.com 443", "raw.example.org 443",
            ]
        )
    }

    @Test(
        "the agent finds its proxy by either case of the variables, and trusts the CA only where one intercepts",
        arguments: [
            (SampleManifest.routed, "http://egress-proxy:9099", true),
            (SampleManifest.unrouted, "http://firewall:8888", false),
        ]
    )
    func agentEnvironment(_ manifest: BottleManifest, _ proxy: String, _ intercepts: Bool) throws {
        let agent = try #require(try bottle(manifest).container(.agent))
        let variables = agent.spec.environment
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] { #expect(variables[name] == proxy) }
        for name in ["NO_PROXY", "no_proxy"] { #expect(variables[name]?.contains("supervise") == true) }
        for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT"] {
            #expect(variables[name] == (intercepts ? "/etc/bottle/ca-bundle.pem" : nil))
        }
        #expect(variables["NODE_EXTRA_CA_CERTS"] == (intercepts ? "/etc/bottle/ca.pem" : nil))
        #expect(text(agent, "/etc/bottle/ca-bundle.pem") == (intercepts ? "PUBLIC ROOTS\nCA CERTIFICATE\n" : ""))
        #expect(variables["HOME"] == "/home/node")
        #expect(variables["CLAUDE_CODE_OAUTH_TOKEN"] == nil)
    }

    @Test("only the role of a route brings the placeholder, and no variable of a user turns the proxies off")
    func placeholder() throws {
        var manifest = SampleManifest.routed
        manifest.routes[0].roles = [.claudeCodeOAuth]
        manifest.agent.environment["https_proxy"] = .literal("http://evil")
        manifest.agent.environment["CLAUDE_CODE_OAUTH_TOKEN"] = .literal("mine")
        let variables = try #require(try bottle(manifest).container(.agent)).spec.environment
        #expect(variables["CLAUDE_CODE_OAUTH_TOKEN"]?.contains("placeholder") == true)
        #expect(variables["DISABLE_TELEMETRY"] == "1")
        #expect(variables["https_proxy"] == "http://egress-proxy:9099")
    }

    @Test("the words of who decided on the image are bounded, and hide nothing", arguments: [nil, "31e2"])
    func imageDecision(proposal: String?) throws {
        var manifest = SampleManifest.routed
        manifest.supervise = true
        var input = try SampleManifest.input(manifest)
        input.supervision = Supervision(queue: "/q", user: "1:1")
        let own = try DesiredBottle(rendering: input)
        let reason = "a\u{202e}b\u{200b}c\"\n" + String(repeating: "x", count: 5000)
        input.imageDecision = Remediation.Provenance(
            author: "jo",
            time: Timestamp(seconds: 0),
            reason: reason,
            proposal: proposal
        )
        let bottle = try DesiredBottle(rendering: input)
        let agent = try #require(bottle.container(.agent))
        let shown = text(agent, "/etc/bottle/current-config/image.json")
        let words = shown.contains(#""words" : "a\\u{202e}b\\u{200b}c\"\nxxx"#) && shown.contains("x…\"")
        // An operator's reason for an edit of their own is for the history, not for the agent.
        #expect(proposal == nil ? !shown.contains("words") : words)
        #expect(shown.utf8.count < 4300)
        #expect(shown.contains(proposal == nil ? #""source" : "operator""# : #""source" : "proposal""#))
        #expect(!shown.contains("jo"))
        // A file of the agent's and nothing more.
        #expect(agent.specHash == own.container(.agent)?.specHash)
        #expect(agent.intentHash == own.container(.agent)?.intentHash)
        #expect(bottle.containers.filter { $0.role != .agent } == own.containers.filter { $0.role != .agent })
    }

    @Test("nothing of a credential or of the CA's key is in the agent, and the key is in the egress-proxy alone")
    func noCredential() throws {
        let bottle = try bottle(SampleManifest.routed)
        for container in bottle.containers {
            let everything =
                "\(container)" + container.files.map { String(decoding: $0.content, as: UTF8.self) }.joined()
            let mayHold = container.role == .egressProxy
            #expect(everything.contains("CA PRIVATE KEY") == mayHold)
            #expect(everything.contains("fingerprint-of-TOKEN_A") == mayHold)
            #expect(everything.contains("BOTTLE_CREDENTIAL_TOKEN_A") == mayHold)
        }
        let proxy = try #require(bottle.container(.egressProxy))
        #expect(!proxy.files.contains { String(decoding: $0.content, as: UTF8.self).contains("fingerprint-of") })
        #expect(proxy.files.first { $0.path.hasSuffix("ca.pem") }?.mode == 0o400)
    }

    @Test("the agent runs hardened, in its home, with a resolver that resolves nothing outside")
    func agentSpec() throws {
        let agent = try #require(try bottle(SampleManifest.routed).container(.agent))
        #expect(agent.spec.resolvers == ["127.0.0.1"])
        #expect(agent.spec.hasInit && agent.spec.hasTerminal)
        #expect(agent.spec.mounts.map(\.volume) == ["bottle-dev-home"])
        #expect(agent.spec.mounts.map(\.target) == ["/home/node"])
        #expect(agent.endpoints.map(\.network) == [.internal])
        #expect(agent.spec.ulimits.contains { $0.name == "core" && $0.hard == 0 })
    }

    @Test("every sidecar has a read-only root, no core dumps and limits, and listens where its client is")
    func sidecars() throws {
        let bottle = try bottle(SampleManifest.routed)
        for container in bottle.containers where container.role != .agent {
            #expect(container.spec.isRootReadOnly)
            #expect(container.spec.ulimits.contains { $0.name == "core" && $0.hard == 0 })
            #expect(container.limits.names == ["cpus", "memory", "pids"])
            let first = try #require(container.endpoints.first)
            #expect(first.aliases == [container.role.rawValue])
            #expect(container.endpoints.dropFirst().allSatisfy { $0.aliases.isEmpty })
            let address = try #require(first.address)
            #expect(container.spec.environment["BOTTLE_LISTEN"]?.hasPrefix("\(address):") == true)
        }
    }

    @Test("an unknown home is an error that says what to set", arguments: ["ghost", "12345", "nowhere"])
    func homeUnknown(_ user: String) throws {
        var manifest = SampleManifest.routed
        manifest.agent.user = user
        var input = try SampleManifest.input(manifest)
        input.agentFacts?.accounts.append(.init(name: "nowhere", uid: 7, gid: 7, home: "/"))
        let error = #expect(throws: BottleError.self) { try DesiredBottle(rendering: input) }
        #expect(error?.code == .homeUnknown)
    }

    @Test(
        "a home that is no plain path, or overlaps with the system's folders, is refused",
        arguments: [
            "home", "", "/", "/home/../etc", "/home/./a", "//home/a", "/home//a", "/home/a/", "/home/a\nb",
            "/etc", "/etc/bottle", "/usr/local/home", "/proc/1", "/dev/shm/x", "/var", "/var/run/x", "/tmp", "/lib64",
        ]
    )
    func homeUnsuitable(_ home: String) throws {
        var manifest = SampleManifest.routed
        manifest.agent.home = home
        let error = #expect(throws: BottleError.self) { try DesiredBottle(rendering: SampleManifest.input(manifest)) }
        #expect(error?.code == .homeUnsuitable)
        guard home.hasPrefix("/"), home != "/" else { return }
        var input = try SampleManifest.input(SampleManifest.routed)
        input.agentFacts?.accounts[0].home = home
        let ofImage = #expect(throws: BottleError.self) { try DesiredBottle(rendering: input) }
        #expect(ofImage?.code == .homeUnsuitable)
    }

    @Test("a home of the agent's own is taken", arguments: ["/root", "/home/a.b", "/var/lib/a", "/data", "/etcetera"])
    func homeSuitable(_ home: String) throws {
        var manifest = SampleManifest.routed
        manifest.agent.home = home
        let agent = try DesiredBottle(rendering: SampleManifest.input(manifest)).container(.agent)
        #expect(agent?.home == .init(path: home, owner: FileOwner(user: 1000, group: 1000)))
    }

    @Test(
        "the home belongs to the numbers that the engine gives the agent's user",
        arguments: [
            (nil, 1000, 1000), ("root", 0, 0), ("node", 1000, 1000), ("1000", 1000, 1000), ("4242", 4242, 0),
            ("4242:77", 4242, 77), ("node:77", 1000, 77), ("node:staff", 1000, 1000), ("0:5", 0, 5),
        ] as [(String?, Int, Int)]
    )
    func homeOwner(_ user: String?, _ uid: Int, _ gid: Int) throws {
        var manifest = SampleManifest.routed
        manifest.agent.home = "/home/agent"
        manifest.agent.user = user
        var input = try SampleManifest.input(manifest)
        input.agentFacts?.accounts.append(.init(name: "root", uid: 0, gid: 0, home: "/root"))
        let agent = try DesiredBottle(rendering: input).container(.agent)
        #expect(agent?.home?.owner == FileOwner(user: uid, group: gid))
    }

    @Test("accounts are read from the lines of an /etc/passwd that are accounts")
    func passwd() throws {
        let text = "root:x:0:0:root:/root:/bin/bash\n#x\n\nnode:x:1000:1001::/home/node\nbad:x:a:0::/\nshort:x:1:1\n"
        let accounts = ImageFacts.accounts(passwd: text)
        #expect(accounts.map(\.name) == ["root", "node"])
        let facts = ImageFacts(id: "i", user: "", labels: [:], accounts: accounts, roots: nil)
        #expect(facts.account("node")?.gid == 1001)
        #expect(facts.account("1000:1001")?.home == "/home/node")
        #expect(facts.account("node:staff")?.uid == 1000)
        #expect(facts.account("7") == nil)
    }
}
