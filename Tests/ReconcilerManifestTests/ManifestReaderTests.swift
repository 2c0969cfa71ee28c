import ReconcilerManifest
import ReconcilerModel
import Testing

@Suite struct ManifestReaderTests {
    @Test("Every key reaches its field")
    func everyKey() throws {
        let text = """
            apiVersion: bottle/v1
            kind: Bottle
            metadata: {name: dev, labels: {team: core, year: 2026}}
            spec:
              agent:
                build: {context: ., dockerfile: docker/Dockerfile}
                command: [run, 8080]
                user: 1000
                home: /home/node
                restart: on-failure
                prompt: {text: "do it"}
                skills: [~/skills/review]
                env: {TZ: UTC, PORT: 8080, EDITOR: {from_host: EDITOR}}
                workspace: {path: ., mode: copy}
                resources: {cpus: 1.5, memory: 4GiB, pids: 512}
                runtime: runc
              egress:
                firewall: pipelock
                allowlist: [a.example, "*.b.example"]
                passthrough: [c.example]
                network: corp
                extra_hosts: {API.internal.example: 10.0.0.7}
                private: [10.0.0.0/24]
                trust: [ca.pem]
              egress_proxy:
                routes:
                  - host: api.anthropic.com
                    role: claude_code_oauth
                    methods: any
                    auth: {scheme: Bearer, token_ref: OAUTH}
                  - host: api.example.com
                    port: 8443
                    role: []
                    methods: [GET, HEAD]
                    path_allowlist: [/repos/acme/, "/a%20b"]
                    auth: {header: X-Api-Key, token_ref: KEY}
                    client_auth: allow
                    websocket: true
              git:
                - name: app
                  upstream: ssh://git@git.example.com:2222/acme/app.git
                  identity_file: ~/.ssh/id
                  refs: [refs/heads/agent/*]
                  extra_hosts: {git.example.com: 192.0.2.10}
                  allow_binary: ["*.png"]
              supervise: true
            """
        let reading = read(text)
        #expect(reading.errors == [])
        let manifest = try #require(reading.bottles.first).manifest
        let expected = BottleManifest(
            identity: try Identity("dev"),
            labels: ["team": "core", "year": "2026"],
            agent: AgentSpec(
                image: .build(BuildSource(context: ".", dockerfile: "docker/Dockerfile")),
                command: ["run", "8080"],
                user: "1000",
                home: "/home/node",
                restart: .onFailure,
                prompt: .text("do it"),
                skills: ["~/skills/review"],
                environment: ["TZ": .literal("UTC"), "PORT": .literal("8080"), "EDITOR": .fromHost("EDITOR")],
                workspace: Workspace(mode: .copy, path: "."),
                resources: Resources(milliCPUs: 1500, memory: 4 << 30, pids: 512),
                runtime: "runc"
            ),
            egress: EgressSpec(
                firewall: .pipelock,
                allowlist: [try HostPattern("a.example"), try HostPattern("*.b.example")],
                passthrough: [try HostPattern("c.example")],
                network: "corp",
                extraHosts: ["api.internal.example": try IPv4Address("10.0.0.7")],
                privateRanges: [try IPv4Block("10.0.0.0/24")],
                trust: [.file("ca.pem")]
            ),
            routes: [
                Route(
                    host: try HostPattern("api.anthropic.com"),
                    roles: [.claudeCodeOAuth],
                    auth: RouteAuth(scheme: "Bearer", token: try SecretReference("OAUTH"))
                ),
                Route(
                    host: try HostPattern("api.example.com"),
                    port: 8443,
                    methods: .only(["GET", "HEAD"]),
                    pathAllowlist: ["/repos/acme/", "/a%20b"],
                    auth: RouteAuth(header: "X-Api-Key", token: try SecretReference("KEY")),
                    allowsClientAuth: true,
                    allowsWebSocket: true
                ),
            ],
            git: [
                GitRemote(
                    name: "app",
                    upstream: "ssh://git@git.example.com:2222/acme/app.git",
                    identityFile: "~/.ssh/id",
                    refs: ["refs/heads/agent/*"],
                    extraHosts: ["git.example.com": try IPv4Address("192.0.2.10")],
                    allowBinary: ["*.png"]
                )
            ],
            supervise: true
        )
        #expect(manifest == expected)
        #expect(
            unbuiltFeatures(of: manifest)
                == ["spec.agent.skills", "spec.agent.workspace", "spec.egress.firewall: pipelock", "spec.git"]
        )
        #expect(reading.warnings.filter { $0.code == "not-built-yet" }.map { $0.location?.line } == [12, 14, 18, 39])
    }

    @Test("A manifest that says little has the defaults")
    func defaults() throws {
        let reading = read(routes("- host: a.example"))
        let manifest = try #require(reading.bottles.first).manifest
        #expect(reading.diagnostics == [])
        #expect(manifest.egress.firewall == .squid)
        #expect(manifest.routes == [Route(host: try HostPattern("a.example"))])
        #expect(manifest.agent.workspace == Workspace())
        #expect(unbuiltFeatures(of: manifest) == [])
    }

    @Test("An Agent in another file is used, with the folder its own paths are relative to")
    func reference() throws {
        let agent = "apiVersion: bottle/v1\nkind: Agent\nmetadata: {name: x}\nspec: {image: b, prompt: {file: p.md}}\n"
        let reading = ManifestReader.read([
            ManifestSource(name: "one/bottle.yaml", folder: "/one", bytes: Array(bottle(agent: "{ref: x}").utf8)),
            ManifestSource(name: "two/agent.yaml", folder: "/two", bytes: Array(agent.utf8)),
        ])
        #expect(reading.diagnostics == [])
        let located = try #require(reading.bottles.first)
        #expect(located.manifest.agent == AgentSpec(image: .reference(try ImageReference("b")), prompt: .file("p.md")))
        #expect(located.folder == "/one")
        #expect(located.agentFolder == "/two")
        #expect(located.agentFile == "two/agent.yaml")
        #expect(located.location == SourceLocation(file: "one/bottle.yaml", line: 1, column: 1))
    }

    @Test("The mistakes of an Agent are reported once, at its own place")
    func brokenReference() {
        let reading = read(
            bottle(agent: "{ref: x}")
                + "---\napiVersion: bottle/v1\nkind: Agent\nmetadata: {name: x}\nspec: {imag: b}\n"
        )
        #expect(reading.errors.map(\.code) == ["missing-key", "unknown-key"])
        #expect(reading.errors.allSatisfy { $0.location?.line == 11 })
        #expect(reading.bottles.isEmpty)
    }

    @Test("The body of a Markdown manifest is the agent's prompt", arguments: ["Bottle", "Agent"])
    func markdown(_ kind: String) throws {
        let spec = kind == "Bottle" ? "{agent: {image: a}}" : "{image: a}"
        let text =
            "---\napiVersion: bottle/v1\nkind: \(kind)\nmetadata: {name: x}\nspec: \(spec)\n---\n\n# Do\n\n--- it: {\n\n"
        var sources = [ManifestSource(name: "x.md", bytes: Array(text.utf8))]
        if kind == "Agent" {
            sources.append(ManifestSource(name: "b.yaml", bytes: Array(bottle(agent: "{ref: x}").utf8)))
        }
        let reading = ManifestReader.read(sources)
        #expect(reading.diagnostics == [])
        #expect(try #require(reading.bottles.first).manifest.agent.prompt == .text("# Do\n\n--- it: {"))
    }

    static let markdownMistakes = [
        BadManifest(
            "a prompt in both",
            "conflicting-keys",
            "---\napiVersion: bottle/v1\nkind: Agent\nmetadata: {name: x}\nspec: {image: a, prompt: {text: t}}\n---\n@@body\n"
        ),
        BadManifest("no front matter", "no-front-matter", "@@# Title\n"),
        BadManifest("front matter without an end", "no-front-matter", "@@---\na: b\n"),
        BadManifest(
            "a mistake inside",
            "unknown-key",
            "---\napiVersion: bottle/v1\nkind: Agent\nmetadata: {name: x}\nspec: {image: a, @@imag: b}\n---\nbody\n"
        ),
    ]

    @Test("A mistake in a Markdown manifest has its place in the whole file", arguments: markdownMistakes)
    func markdownMistake(_ row: BadManifest) {
        let marked = MarkedText(row.text)
        let errors = read(marked.text, name: "x.md").errors
        #expect(errors.map(\.code) == [row.code])
        #expect(errors.first?.location == SourceLocation(file: "x.md", line: marked.line, column: marked.column))
    }

    @Test(
        "Sizes are exact",
        arguments: [
            ("memory: 4GiB", Resources(memory: 4_294_967_296)), ("memory: 512MiB", Resources(memory: 536_870_912)),
            ("memory: 8192Ki", Resources(memory: 8_388_608)), ("memory: 8388608", Resources(memory: 8_388_608)),
            ("cpus: 2", Resources(milliCPUs: 2000)), ("cpus: 0.125", Resources(milliCPUs: 125)),
            ("cpus: 0.5", Resources(milliCPUs: 500)),
            ("pids: 512", Resources(pids: 512)),
        ]
    )
    func sizes(_ text: String, _ resources: Resources) {
        #expect(
            read(bottle(agent: "{image: a, resources: {\(text)}}")).bottles.first?.manifest.agent.resources == resources
        )
    }

    @Test("A long line does not end the front matter")
    func longLine() throws {
        let long = String(repeating: "x", count: 100_000)
        let text =
            "---\napiVersion: bottle/v1\nkind: Agent\nmetadata: {name: x}\nspec:\n  env: {A: \(long)}\n  image: a\n---\nDo it.\n"
        let reading = ManifestReader.read([
            ManifestSource(name: "x.md", bytes: Array(text.utf8)),
            ManifestSource(name: "b.yaml", bytes: Array(bottle(agent: "{ref: x}").utf8)),
        ])
        #expect(reading.diagnostics == [])
        let agent = try #require(reading.bottles.first).manifest.agent
        #expect(agent.environment == ["A": .literal(long)])
        #expect(agent.prompt == .text("Do it."))
    }
}
