import ReconcilerManifest
import ReconcilerModel
import ScratchTestSupport
import Testing

@Suite struct ManifestResolverTests {
    static let pem = """
        -----BEGIN CERTIFICATE-----
        MIIBejCCAR+gAwIBAgIUe3NyZUZ0VhXkq0Yw3m1yQ2v0m4QwCgYIKoZIzj0EAwIw
        EjEQMA4GA1UEAwwHdGVzdCBDQTAeFw0yNjAxMDEwMDAwMDBaFw0zNjAxMDEwMDAw
        -----END CERTIFICATE-----

        """

    private func resolve(
        _ text: String,
        in scratch: Scratch,
        environment: [String: String] = [:]
    ) throws -> (manifest: BottleManifest?, diagnostics: [Diagnostic]) {
        try scratch.write(text, to: "work/bottle.yaml")
        try scratch.makeFolder(scratch.path + "/home/.ssh")
        let loaded = ManifestFiles.load(["work/bottle.yaml"], folder: scratch.path)
        let reading = ManifestReader.read(loaded.sources)
        #expect(reading.errors == [])
        let located = try #require(reading.bottles.first)
        let resolver = ManifestResolver(
            home: scratch.path + "/home",
            environment: environment,
            contextStore: scratch.path + "/state/contexts",
            stateFolder: scratch.path + "/state",
            engineSockets: [scratch.path + "/run/docker.sock"]
        )
        return resolver.resolve(located)
    }

    @Test("A resolved manifest stands alone")
    func standsAlone() throws {
        let scratch = try Scratch()
        try scratch.write("Do it.\n", to: "work/prompts/p.md")
        try scratch.write(Self.pem, to: "work/ca.pem")
        try scratch.write("FROM x\n", to: "work/Dockerfile")
        try scratch.write("key", to: "home/.ssh/id")
        try scratch.makeFolder(scratch.path + "/home/skills/review")
        let text = bottle(
            "egress: {trust: [ca.pem]}\ngit:\n- {name: a, upstream: 'git@g.example:a', identity_file: ~/.ssh/id, known_host_key: \(key)}",
            agent:
                "{build: {context: .}, prompt: {file: prompts/p.md}, env: {E: {from_host: EDITOR}}, skills: [~/skills/review], workspace: {path: ., mode: copy}}"
        )
        let (manifest, problems) = try resolve(text, in: scratch, environment: ["EDITOR": "vi"])
        #expect(problems == [])
        let resolved = try #require(manifest)
        #expect(resolved.unresolved == [])
        #expect(resolved.agent.prompt == .text("Do it.\n"))
        #expect(resolved.agent.environment == ["E": .literal("vi")])
        #expect(resolved.agent.skills == [scratch.path + "/home/skills/review"])
        #expect(resolved.agent.workspace.path == scratch.path + "/work")
        #expect(resolved.egress.trust == [.pem(Self.pem)])
        #expect(resolved.git.first?.identityFile == scratch.path + "/home/.ssh/id")
        guard case .build(let source) = resolved.agent.image else { return #expect(Bool(false)) }
        #expect(source.context == scratch.path + "/work")
        let pinned = try #require(source.pinned)
        #expect(
            try scratch.files(in: "state/contexts/\(pinned)") == [
                "Dockerfile f 644", "bottle.yaml f 644", "ca.pem f 644", "prompts d 700", "prompts/p.md f 644",
            ]
        )
        let again = read(ManifestDocument.yaml(of: resolved))
        #expect(again.bottles.first?.manifest == resolved, "\(again.errors)")
    }

    private let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

    @Test("All that can't be resolved is reported at its place, and nothing is written")
    func allAtOnce() throws {
        let scratch = try Scratch()
        try scratch.write("no certificate", to: "work/ca.pem")
        try scratch.write("x", to: "work/Dockerfile")
        let text = bottle(
            "egress: {trust: [ca.pem, none.pem]}\ngit:\n- {name: a, upstream: 'git@g.example:a', identity_file: none}",
            agent:
                "{build: {context: .}, prompt: {file: none.md}, env: {E: {from_host: EDITOR}}, skills: [~you/x, none], workspace: {path: none, mode: copy}}"
        )
        let (manifest, problems) = try resolve(text, in: scratch)
        #expect(manifest == nil)
        #expect(
            problems.map { "\($0.code) \($0.location?.line ?? 0)" } == [
                "no-such-file 5", "missing-variable 5", "invalid-path 5", "no-such-file 5", "no-such-file 5",
                "invalid-certificate 6",
                "no-such-file 6", "unknown-host-key 8", "no-such-file 8",
            ]
        )
        #expect(try scratch.files(in: ".").filter { $0.hasPrefix("state") } == [])
    }

    @Test("A build context's digest is that of its content, names and execute bits alone")
    func contextDigest() throws {
        func digest(_ change: (Scratch) throws -> Void) throws -> ContentDigest {
            let scratch = try Scratch()
            try scratch.write("FROM x\n", to: "work/ctx/Dockerfile")
            try scratch.write("a", to: "work/ctx/src/a.txt")
            try scratch.link("work/ctx/link", to: "src/a.txt")
            try change(scratch)
            let (manifest, problems) = try resolve(bottle(agent: "{build: {context: ctx}}"), in: scratch)
            #expect(problems == [])
            guard case .build(let source) = try #require(manifest).agent.image else { throw ScratchProblem() }
            return try #require(source.pinned)
        }
        let plain = try digest { _ in }
        #expect(try digest { try $0.write("a", to: "work/ctx/src/a.txt", mode: 0o600) } == plain)
        #expect(
            try digest {
                try $0.write("x", to: "work/ctx/b.log");
                try $0.write("*.log\n.dockerignore\n", to: "work/ctx/.dockerignore")
            } != plain
        )
        #expect(try digest { try $0.write("b", to: "work/ctx/src/a.txt") } != plain)
        #expect(try digest { try $0.write("a", to: "work/ctx/src/a.txt", mode: 0o755) } != plain)
        #expect(try digest { try $0.link("work/ctx/two", to: "x") } != plain)
        #expect(try digest { try $0.makeFolder($0.path + "/work/ctx/empty") } != plain)
    }

    @Test(
        "A .dockerignore leaves out what Docker would, never the Dockerfile",
        arguments: [
            ("*", []), ("*.log", ["src", "src/a.txt", "src/deep", "src/deep/b.log"]),
            ("**/*.log", ["src", "src/a.txt", "src/deep"]), ("src/deep\n", ["b.log", "src", "src/a.txt"]),
            ("/src/*.txt", ["b.log", "src", "src/deep", "src/deep/b.log"]), ("*\n!src/a.txt", ["src", "src/a.txt"]),
            ("# src\n\n  b.lo[a-h]  ", ["src", "src/a.txt", "src/deep", "src/deep/b.log"]), ("s?c", ["b.log"]),
            ("**", []), ("Dockerfile", ["b.log", "src", "src/a.txt", "src/deep", "src/deep/b.log"]),
        ]
    )
    func ignored(_ rules: String, _ kept: [String]) throws {
        let scratch = try Scratch()
        for name in ["Dockerfile", "b.log", "src/a.txt", "src/deep/b.log"] {
            try scratch.write("x", to: "work/ctx/" + name)
        }
        try scratch.write(rules, to: "work/ctx/.dockerignore")
        let (manifest, problems) = try resolve(bottle(agent: "{build: {context: ctx}}"), in: scratch)
        #expect(problems == [])
        guard case .build(let source) = try #require(manifest).agent.image, let pinned = source.pinned else {
            throw ScratchProblem()
        }
        let names = try scratch.files(in: "state/contexts/\(pinned)").map { String($0.prefix { $0 != " " }) }
        #expect(names == ([".dockerignore", "Dockerfile"] + kept).sorted())
    }

    @Test(
        "A mounted workspace that holds the cage is refused",
        arguments: [
            ("work", "the manifest"), (".", "the state folder"), ("home", "the home folder"), ("home/.ssh", "'.ssh'"),
            ("run", "an engine's socket"),
            ("state/x", "the state folder"), ("ctx", "a build context"), ("ctx/src", "a build context"),
            ("trusted", "a trusted certificate"), ("sneaky", "the manifest"),
        ]
    )
    func mounted(_ folder: String, _ noun: String) throws {
        let scratch = try Scratch()
        for name in ["run/docker.sock", "state/x/y", "ctx/src/z", "ctx/Dockerfile", "home/.ssh/id"] {
            try scratch.write("x", to: name)
        }
        try scratch.write(Self.pem, to: "trusted/ca.pem")
        try scratch.link("sneaky", to: "work")
        let text = bottle(
            "egress: {trust: [../trusted/ca.pem]}",
            agent: "{build: {context: ../ctx}, workspace: {path: ../\(folder), mode: mount}}"
        )
        let (manifest, problems) = try resolve(text, in: scratch)
        #expect(manifest == nil)
        #expect(problems.contains { $0.code == "workspace-holds-cage" && $0.message.contains(noun) }, "\(problems)")
        #expect(problems.allSatisfy { $0.code == "workspace-holds-cage" })
    }

    @Test("A mounted workspace beside the cage is right")
    func mountedBeside() throws {
        let scratch = try Scratch()
        try scratch.makeFolder(scratch.path + "/home/src")
        let (manifest, problems) = try resolve(
            bottle(agent: "{image: a, workspace: {path: ~/src, mode: mount}}"),
            in: scratch
        )
        #expect(problems == [])
        #expect(manifest?.agent.workspace == Workspace(mode: .mount, path: scratch.path + "/home/src"))
    }

    @Test(
        "A host's key comes from known_hosts, hidden names too",
        arguments: [
            "g.example ", "G.example,192.0.2.1 ", "HASHED ",
        ]
    )
    func knownHosts(_ name: String) async throws {
        let scratch = try Scratch()
        try scratch.write("k", to: "work/id")
        // HMAC-SHA-1 of 'g.example' under the salt 'saltsaltsaltsaltsalt'.
        let hidden = try await python(
            [
                "-c",
                "import hmac,base64;s=b'saltsaltsaltsaltsalt';print('|1|'+base64.b64encode(s).decode()+'|'+base64.b64encode(hmac.new(s,b'g.example','sha1').digest()).decode(),end=' ')",
            ]
        ).output
        try scratch.write(
            "# hosts\nother ssh-ed25519 AAAA\n" + name.replacing("HASHED ", with: hidden) + key + "\n",
            to: "home/.ssh/known_hosts"
        )
        let text = bottle("git:\n- {name: a, upstream: 'git@g.example:a', identity_file: id}")
        let (manifest, problems) = try resolve(text, in: scratch)
        #expect(problems == [])
        #expect(manifest?.git.first?.knownHostKey == key)
    }
}
