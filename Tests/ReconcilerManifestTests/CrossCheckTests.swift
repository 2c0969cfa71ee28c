import ReconcilerManifest
import ReconcilerModel
import Testing

@Suite struct CrossCheckTests {
    private static let git = "git:\n- {name: app, upstream: 'git@git.example.com:a/b.git', identity_file: k}\n"

    static let conflicts = [
        BadManifest(
            "two routes to one host",
            "duplicate-route",
            routes("- host: a.example\n- host: @@A.example.\n  port: 8443"),
            "one host has one route"
        ),
        BadManifest(
            "two routes with the role",
            "duplicate-role",
            routes("- {host: a.example, role: claude_code_oauth}\n- {host: b.example, role: [@@claude_code_oauth]}")
                .replacing("[@@", with: "@@[")
        ),
        BadManifest(
            "an allowlist entry beside the route of its host",
            "allowlist-widens-route",
            bottle("egress: {allowlist: [@@a.example]}\negress_proxy: {routes: [{host: a.example, methods: [GET]}]}"),
            "remove the entry"
        ),
        BadManifest("a host twice in a list", "duplicate-value", egress("allowlist: [a.example, @@A.example]")),
        BadManifest(
            "two addresses of one host",
            "address-conflict",
            bottle(
                "egress: {extra_hosts: {git.example.com: 10.0.0.1}}\n"
                    + git.replacing("k}", with: "k, extra_hosts: {@@git.example.com: 10.0.0.2}}")
            )
        ),
        BadManifest(
            "two repositories of one name",
            "duplicate-name",
            bottle(git + "- {name: @@App, upstream: 'git@git.example.com:a/c.git', identity_file: k}")
        ),
        BadManifest(
            "a writing route to a git host",
            "second-way-to-push",
            bottle(git + "egress_proxy: {routes: [{host: git.example.com, methods: @@[GET, POST]}]}")
        ),
        BadManifest(
            "a route of any method to a git host",
            "second-way-to-push",
            bottle(git + "egress_proxy: {routes: [{host: @@'*.example.com'}]}")
        ),
        BadManifest(
            "an allowed git host",
            "second-way-to-push",
            bottle(git + "egress: {allowlist: [@@'*.example.com']}")
        ),
        BadManifest(
            "a credential for the agent",
            "credential-to-agent",
            bottle(
                "egress_proxy: {routes: [{host: a.example, methods: [GET], auth: {token_ref: T}}]}",
                agent: "{image: a, env: {A: {from_host: T_2}, X: {from_host: @@T}}}"
            ),
            "remove 'X'"
        ),
        BadManifest(
            "a credential for a shared agent",
            "credential-to-agent",
            """
            {apiVersion: bottle/v1, kind: Agent, metadata: {name: a}, spec: {image: a, env: {X: {from_host: @@T}}}}
            ---

            """
                + bottle(
                    "egress_proxy: {routes: [{host: a.example, methods: [GET], auth: {token_ref: T}}]}",
                    agent: "{ref: a}"
                )
        ),
        BadManifest(
            "a variable of the role",
            "owned-variable",
            bottle(
                "egress_proxy: {routes: [{host: a.example, role: claude_code_oauth, methods: any, auth: {token_ref: T}}]}",
                agent: "{image: a, env: {@@CLAUDE_CODE_OAUTH_TOKEN: x}}"
            ),
            "remove it"
        ),
    ]

    @Test("A variable of a role that no route has, and a variable that no route needs, are the person's")
    func freeVariables() {
        let reading = read(
            bottle(
                "egress_proxy: {routes: [{host: a.example, methods: [GET], auth: {token_ref: T}}]}",
                agent: "{image: a, env: {T: x, CLAUDE_CODE_OAUTH_TOKEN: x, DISABLE_TELEMETRY: '1', E: {from_host: E}}}"
            )
        )
        #expect(reading.errors.isEmpty, "\(reading.errors)")
    }

    static let upstreams = [
        "https://git.example.com/a/b.git", "git://git.example.com/a", "/a/b.git", "git.example.com:a/b",
        "ssh://git.example.com/a/b",
        "ssh://-oProxyCommand=x@git.example.com/a", "ssh://git@-oProxyCommand=x/a", "git@-x:a/b",
        "git@git.example.com:-a",
        "ssh://git@git.example.com/-a", "ssh://git@git.example.com:0/a", "ssh://git@git.example.com:65536/a",
        "ssh://git@git.example.com:22x/a", "ssh://git@git.example.com/", "git@git.example.com:",
        "ssh://git@git.example.com/a/../b",
        "ssh://git@git.example.com/a b", "ssh://git@git.example.com/a;b", "ssh://git@git.example.com/$(x)",
        "ssh://@git.example.com/a",
        "ssh://git:password@git.example.com/a", "ssh://git@git.example.com/\u{E4}", "ext::sh -c x",
        "ssh://git@git.example.com//a",
    ]

    @Test("What is right alone and wrong together is one error", arguments: conflicts)
    func conflict(_ row: BadManifest) {
        let marked = MarkedText(row.text)
        let reading = read(marked.text)
        #expect(reading.errorPlaces == ["\(row.code) \(marked.line):\(marked.column)"], "\(reading.errors)")
        if let wanted = row.suggestion { #expect(reading.errors.first?.suggestion?.contains(wanted) == true) }
    }

    @Test("An upstream that is not plain SSH, or could be taken for an option, is refused", arguments: upstreams)
    func upstream(_ text: String) {
        let reading = read(bottle("git:\n- {name: app, upstream: \"\(text)\", identity_file: k}"))
        #expect(reading.errors.map(\.code) == ["invalid-value"], "\(reading.errors)")
        #expect(throws: InvalidValue.self) { try GitUpstream(text) }
    }

    @Test(
        "Both forms of an upstream give user, host, port and path",
        arguments: [
            ("ssh://git@git.example.com:2222/acme/app.git", "git git.example.com 2222 /acme/app.git"),
            ("ssh://git@Git.Example.com/~me/app", "git git.example.com 22 /~me/app"),
            ("git@192.0.2.7:app.git", "git 192.0.2.7 22 app.git"),
        ]
    )
    func upstreamParts(_ text: String, _ parts: String) throws {
        let upstream = try GitUpstream(text)
        #expect("\(upstream.user) \(upstream.host) \(upstream.port) \(upstream.path)" == parts)
    }

    @Test(
        "A reading route to a git host is right, a writing one with paths is a warning",
        arguments: [
            ("methods: [GET, HEAD]", []), ("methods: any, path_allowlist: [/api/issues]", ["second-way-to-push"]),
        ]
    )
    func reading(_ limits: String, _ warnings: [String]) {
        let reading = read(bottle(Self.git + "egress_proxy: {routes: [{host: git.example.com, \(limits)}]}"))
        #expect(reading.errors == [])
        #expect(reading.warnings.map(\.code).filter { $0 != "not-built-yet" } == warnings)
    }

    static let refs = [
        "main", "refs/heads", "refs/heads/*/x", "refs/heads/a*", "refs/heads/../x", "refs/heads/-x", "refs/heads/a b",
        "refs/heads/x.lock", "refs/heads//x",
    ]

    @Test("A ref pattern is a full name with at most a last '*'", arguments: refs)
    func ref(_ text: String) {
        let reading = read(
            bottle("git:\n- {name: app, upstream: 'git@g.example:a', identity_file: k, refs: ['\(text)']}")
        )
        #expect(reading.errors.map(\.code) == ["invalid-value"])
    }

    @Test(
        "A host key is checked",
        arguments: ["ssh-ed25519 AAAA", "ssh-dss AAAA", "AAAA", "ssh-ed25519 AAAAC3NzaC1yc2EAAAA="]
    )
    func hostKey(_ text: String) {
        let reading = read(
            bottle("git:\n- {name: app, upstream: 'git@g.example:a', identity_file: k, known_host_key: '\(text)'}")
        )
        #expect(reading.errors.map(\.code) == ["invalid-value"])
    }

    @Test(
        "An older shape shows its rewrite, made of what was written",
        arguments: [
            (
                "bottle: {ssh: [{Host: work, HostName: git.corp.example, Port: 2222, User: me, IdentityFile: ~/.ssh/work}]}",
                "      upstream: ssh://me@git.corp.example:2222/OWNER/REPOSITORY.git\n      identity_file: \"~/.ssh/work\""
            ),
            (
                "bottle: {tokens: [{Kind: anthropic, TokenRef: CLAUDE}]}",
                "      - host: api.anthropic.com\n        methods: any\n        auth: {scheme: Bearer, token_ref: CLAUDE}"
            ),
            (
                "spec: {cred_proxy: {routes: [{path: /gh/, upstream: 'https://api.github.com:8443/x', auth_scheme: token, token_ref: GH, role: git-insteadof}]}}",
                "      - host: api.github.com\n        port: 8443\n        methods: any\n        auth: {scheme: token, token_ref: GH}\n        # gone: role git-insteadof"
            ),
        ]
    )
    func olderShape(_ text: String, _ rewrite: String) {
        let errors = read(text + "\n").errors
        #expect(errors.map(\.code) == ["older-shape"])
        #expect(errors.first?.suggestion?.contains(rewrite) == true, "\(errors.first?.suggestion ?? "")")
        #expect(errors.first?.location?.line == 1)
    }
}
