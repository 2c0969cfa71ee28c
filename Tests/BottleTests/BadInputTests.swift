import ReconcilerEngine
import Testing

@Suite("Input that can't be used", .serialized, .needsEngine)
struct BadInputTests {
    /// A manifest with a fault, and what the error must name.
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: String
        /// What standard error or the document must tell, besides the place.
        let tells: [String]
        /// The line of the fault; nil: it has none.
        var line: Int?
        /// The commands that it stops.
        var commands = [["apply", "--yes"], ["diff"]]
        let change: @Sendable (String) -> String
    }

    static let faults = [
        Fault(testDescription: "broken YAML", code: "invalid-manifest", tells: [], line: 6) {
            $0.replacing("spec:\n", with: "spec: [\n")
        },
        Fault(testDescription: "an unknown key", code: "invalid-manifest", tells: ["alowlist", "allowlist"], line: 10) {
            $0.replacing("allowlist:", with: "alowlist:")
        },
        Fault(testDescription: "a pattern for every host", code: "invalid-manifest", tells: ["*"], line: 10) {
            $0.replacing("[files.bt.test]", with: #"["*"]"#)
        },
        Fault(testDescription: "a URL in place of a host", code: "invalid-manifest", tells: ["https://"], line: 13) {
            $0.replacing("host: api.bt.test", with: #"host: "https://api.bt.test""#)
        },
        Fault(testDescription: "auth without methods", code: "invalid-manifest", tells: ["methods"], line: 13) {
            $0.replacing("methods: [GET], ", with: "")
        },
        Fault(
            testDescription: "a secret that is nowhere",
            code: "secret-unavailable",
            tells: ["BT_MISSING"],
            // A look needs no values.
            commands: [["apply", "--yes"]]
        ) {
            $0.replacing("BT_TOKEN", with: "BT_MISSING")
        },
        Fault(testDescription: "a network that isn't there", code: "network-missing", tells: ["no-such-net"]) {
            $0.replacing("    firewall: squid\n", with: "    firewall: squid\n    network: no-such-net\n")
        },
        Fault(testDescription: "git, not built yet", code: "not-built-yet", tells: ["git"]) {
            $0 + "  git: [{name: app, upstream: 'ssh://git@git.bt.test/app.git', identity_file: /dev/null, "
                + "known_host_key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'}]\n"
        },
        Fault(testDescription: "pipelock, not built yet", code: "not-built-yet", tells: ["pipelock"]) {
            $0.replacing("squid", with: "pipelock")
        },
        Fault(testDescription: "a workspace, not built yet", code: "not-built-yet", tells: ["workspace"]) {
            $0.replacing(
                "    image: bottle/agent\n",
                with: "    image: bottle/agent\n    workspace: {path: ., mode: copy}\n"
            )
        },
        Fault(testDescription: "skills, not built yet", code: "not-built-yet", tells: ["skills"]) {
            $0.replacing("    image: bottle/agent\n", with: "    image: bottle/agent\n    skills: [/tmp]\n")
        },
    ]

    @Test("is an error that says what, where and what next, and touches nothing", arguments: faults)
    func fault(_ fault: Fault) async throws {
        try await BottleFixture.run { fixture in
            let sample = ApplyTests.whole(fixture)
            let text = fault.change(sample.text)
            try #require(text != sample.text)
            let file = try fixture.write(text, to: "bad.yaml")
            for command in fault.commands {
                let line = command + ["-f", file, "-o", "json"]
                let run = try await fixture.bottle(line, environment: ["BT_TOKEN": "t0ken"])
                let error = try expectError(run, fault.code)
                for word in fault.tells { #expect(run.text.contains(word)) }
                if let line = fault.line { #expect(error["where"].text.hasPrefix("\(file):\(line):"), "\(run)") }
            }
            try await expectUntouched(fixture)
        }
    }

    @Test("a file that can't be read is one", arguments: ["nowhere.yaml", "folder-without-manifests", "dangling.yaml"])
    func unreadable(_ name: String) async throws {
        try await BottleFixture.run { fixture in
            _ = try await fixture.run(["sh", "-ec", "mkdir folder-without-manifests; ln -s nothing dangling.yaml"])
            let run = try await fixture.bottle("apply", "-f", "\(fixture.folder)/\(name)", "-o", "json")
            try expectError(run, "invalid-manifest")
            #expect(run.text.contains(name))
            #expect(!exists(fixture.state))
        }
    }

    @Test("names every fault of a manifest at once, each with its place")
    func allAtOnce() async throws {
        try await BottleFixture.run { fixture in
            let text = ApplyTests.whole(fixture).text.replacing("allowlist:", with: "alowlist:")
                .replacing("host: api", with: "hots: api")
            let file = try fixture.write(text, to: "bad.yaml")
            let run = try await fixture.bottle("validate", "-f", file)
            #expect(run.status == 1)
            #expect(run.text.contains("\(file):10:"))
            #expect(run.text.contains("\(file):13:"))
        }
    }

    @Test(
        "no engine is an error, and nothing is committed",
        arguments: ["unix:///nonexistent/docker.sock", "gopher://a"]
    )
    func noEngine(_ address: String) async throws {
        try await BottleFixture.run { fixture in
            let file = try fixture.write(SampleBottle.alone(fixture.name()))
            let run = try await fixture.bottle("apply", "-f", file, "-o", "json", environment: ["DOCKER_HOST": address])
            let error = try expectError(run, address.hasPrefix("unix") ? "engine-unreachable" : "engine-address")
            #expect(error["remedy"].text.contains("DOCKER_HOST"))
            #expect(!exists(fixture.state))
        }
    }

    @Test("an engine that refuses everything is told in its own words, and nothing is committed")
    func refusingEngine() async throws {
        try await BottleFixture.run { fixture in
            let socket = "\(fixture.folder)/engine.sock"
            let stop = "\(fixture.folder)/stop"
            async let server = fixture.run(["python3", "-c", Self.refuser, socket, stop])
            for _ in 0..<100 where !exists(socket) { try await Task.sleep(for: .milliseconds(50)) }
            let file = try fixture.write(SampleBottle.alone(fixture.name()))
            let run = try await fixture.bottle(
                ["apply", "-f", file, "-o", "json"],
                environment: ["DOCKER_HOST": "unix://\(socket)"]
            )
            try fixture.write("", to: "stop")
            #expect(try await server.status == 0)
            #expect(run.status == 1)
            #expect(try run.document()["kind"].text == "Error")
            #expect(try run.document()["cause"].text.contains("not for you"))
            #expect(!exists("\(fixture.state)/desired/bottles"))
        }
    }

    /// An engine that answers its ping and refuses everything else.
    static let refuser = """
        import http.server, os, socketserver, sys, threading, time

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def answer(self):
                ping = self.path.endswith("/_ping")
                body = b"OK" if ping else b'{"message": "not for you"}'
                self.send_response(200 if ping else 403)
                self.send_header("Api-Version", "1.41")
                self.send_header("Content-Type", "text/plain" if ping else "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)
            do_GET = do_HEAD = do_POST = do_DELETE = do_PUT = answer
            def log_message(self, *_):
                pass
            def address_string(self):
                return "-"

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

        server = Server(sys.argv[1], Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        while not os.path.exists(sys.argv[2]):
            time.sleep(0.05)
        """

    @Test("what the engine refuses is told in its own words, and mended by the next apply")
    func engineRefuses() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            let run = try await fixture.apply(sample.with { $0.agent.append("runtime: no-such-runtime") })
            #expect(run.status == 1)
            let failed = try run.document()["bottles"][0]["actions"].list.filter { $0["outcome"].text == "failed" }
            #expect(failed.map(\.["object"].text) == ["container/agent"])
            #expect(failed[0]["error"].text.contains("no-such-runtime"))
            let item = try await fixture.bottle("get", "-o", "json").document()["items"][0]
            #expect(item.condition("Ready") == "False")
            #expect(item.condition("Degraded") == "True")

            try await fixture.applied(sample)
            #expect(try await fixture.apply(sample).actions() == [])
            #expect(try await fixture.snapshot().parts(of: sample.name) == ["agent", "home", "internal"])
        }
    }

    @Test(
        "a thing of others under one of our names is named, and it and all else stays as it is",
        arguments: Foreign.all
    )
    func foreign(_ foreign: Foreign) async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            let name = "bottle-\(sample.name)-\(foreign.part)"
            let made = try await fixture.run(["docker"] + foreign.create.map { $0 == "NAME" ? name : $0 })
            try #require(made.status == 0, "\(made)")
            await fixture.onTearDown { _ = try await fixture.run(["docker"] + foreign.remove + [name]) }
            let inspect = ["docker", foreign.kind, "inspect", name]
            let before = try await fixture.run(inspect).output

            let run = try await fixture.apply(sample)
            try expectError(run, "name-taken")
            #expect(run.text.contains(name))
            #expect(try await fixture.run(inspect).output == before)
            #expect(try await fixture.snapshot() == EngineSnapshot())
            #expect(!exists("\(fixture.state)/desired/bottles/\(sample.name).yaml"))

            _ = try await fixture.run(["docker"] + foreign.remove + [name])
            try await fixture.applied(sample)
        }
    }

    struct Foreign: Sendable, CustomTestStringConvertible {
        let kind: String
        let part: String
        let create: [String]
        let remove: [String]

        var testDescription: String { kind }

        static let all = [
            Foreign(
                kind: "container",
                part: "agent",
                create: ["create", "--name", "NAME", "bottle/agent"],
                remove: ["rm", "-f"]
            ),
            Foreign(
                kind: "network",
                part: "internal",
                create: ["network", "create", "--internal", "--subnet", "10.199.255.240/28", "NAME"],
                remove: ["network", "rm"]
            ),
            Foreign(kind: "volume", part: "home", create: ["volume", "create", "NAME"], remove: ["volume", "rm"]),
        ]
    }

    @Test("another installation's bottle of the same name stays as it is, and can be neither taken nor deleted")
    func otherInstallation() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            try await fixture.applied(sample)
            let before = try await fixture.snapshot()
            let other = ["BOTTLE_STATE_DIR": "\(fixture.folder)/other"]
            let run = try await fixture.apply(sample, environment: other)
            try expectError(run, "name-taken")
            #expect(run.text.contains(try #require(try fixture.installation())))
            let delete = try await fixture.bottle("delete", sample.name, "--yes", environment: other)
            #expect(delete.status == 1)
            #expect(try await fixture.snapshot() == before)
            #expect(try await fixture.apply(sample).actions() == [])
        }
    }

    @Test("an image that carries our labels is refused")
    func forgedImage() async throws {
        try await BottleFixture.run { fixture in
            let image = try await fixture.image("FROM bottle/agent\nLABEL dev.bottle.managed-by=bottle\n")
            let sample = SampleBottle.alone(fixture.name()).with { $0.image = image }
            try expectError(try await fixture.apply(sample), "image-forges-labels")
            #expect(try await fixture.snapshot() == EngineSnapshot())
        }
    }

    /// Expects exit 1 and an error document with its contract's fields.
    @discardableResult
    private func expectError(
        _ run: Run,
        _ code: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> JSON {
        #expect(run.status == 1, "\(run)", sourceLocation: sourceLocation)
        let error = try run.document(sourceLocation: sourceLocation)
        #expect(
            error.keys.isSuperset(of: ["kind", "code", "message", "where", "remedy", "cause"]),
            sourceLocation: sourceLocation
        )
        #expect(error["kind"].text == "Error", sourceLocation: sourceLocation)
        #expect(error["code"].text == code, "\(run)", sourceLocation: sourceLocation)
        #expect(!error["message"].text.isEmpty, sourceLocation: sourceLocation)
        return error
    }

    /// Expects no bottle in the desired state and nothing in the engine.
    private func expectUntouched(_ fixture: BottleFixture) async throws {
        #expect(try await fixture.snapshot() == EngineSnapshot())
        let bottles = try await fixture.run(["find", "\(fixture.state)/desired/bottles", "-name", "*.yaml"])
        #expect(bottles.output == "")
    }
}

extension JSON {
    /// The status of a bottle's condition.
    func condition(_ type: String) -> String {
        self["conditions"].list.first { $0["type"].text == type }?["status"].text ?? ""
    }
}

extension String {
    func replacing(_ old: String, with new: String) -> String {
        var text = self
        for range in ranges(of: old).reversed() { text.replaceSubrange(range, with: new) }
        return text
    }
}
