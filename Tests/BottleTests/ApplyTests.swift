import Testing

@Suite("apply and diff", .serialized, .needsEngine)
struct ApplyTests {
    /// A bottle with everything that needs no internet.
    static func whole(_ fixture: BottleFixture) -> SampleBottle {
        SampleBottle(
            name: fixture.name(),
            allowlist: ["files.bt.test"],
            routes: [
                "{host: api.bt.test, methods: [GET], auth: {scheme: Bearer, token_ref: BT_TOKEN}, path_allowlist: [/a/]}"
            ]
        )
    }

    @Test("tell their contract's fields, make what is described once, and delete takes exactly that away")
    func contract() async throws {
        try await BottleFixture.run { fixture in
            let sample = Self.whole(fixture)
            let secrets = ["BT_TOKEN": "t0ken"]
            let file = try fixture.write(sample)
            let plan = try await fixture.bottle("diff", "-f", file, "-o", "json", environment: secrets)
            #expect(plan.status == 2)
            try expectDocument(plan, kind: "Plan", of: sample)
            let dry = try await fixture.bottle("apply", "-f", file, "--dry-run", "-o", "json", environment: secrets)
            #expect(dry.status == 2)
            #expect(dry.output == plan.output)
            #expect(!exists(fixture.state))

            let cold = try await fixture.applied(sample, environment: secrets)
            try expectDocument(cold, kind: "Result", of: sample)
            let snapshot = try await fixture.snapshot()
            #expect(snapshot.parts(of: sample.name) == Self.parts)
            let isRunning = snapshot.containers.mapValues { $0.state == "running" }
            #expect(!isRunning.values.contains(false))

            let warm = try await fixture.applied(sample, environment: secrets)
            #expect(try warm.actions() == [])
            #expect(try await fixture.snapshot() == snapshot)
            let none = try await fixture.bottle("diff", "-f", file, "-o", "json", environment: secrets)
            #expect(none.status == 0)
            let desired = try await fixture.bottle("diff", sample.name, "-o", "json", environment: secrets)
            #expect(desired.status == 0)

            let changed = try fixture.write(sample.with { $0.allowlist = ["more.bt.test"] })
            let files = try await fixture.stateFiles()
            for line in [["diff"], ["apply", "--dry-run"]] {
                let run = try await fixture.bottle(line + ["-f", changed, "-o", "json"], environment: secrets)
                #expect(run.status == 2)
                #expect(try !run.actions().isEmpty)
            }
            #expect(try await fixture.stateFiles() == files)
            #expect(try await fixture.snapshot() == snapshot)

            try await expectDeleted(sample, fixture)
        }
    }

    static let parts = [
        "agent", "egress", "egress-proxy", "egress-proxy-config", "egress-proxy-run", "firewall", "firewall-config",
        "firewall-run", "home", "internal", "link",
    ]

    private func expectDocument(_ run: Run, kind: String, of sample: SampleBottle) throws {
        let document = try run.document()
        #expect(document.keys == ["apiVersion", "kind", "bottles", "summary"])
        #expect(document["apiVersion"].text == "bottle/v1")
        #expect(document["kind"].text == kind)
        #expect(document["bottles"].list.count == 1)
        let bottle = document["bottles"][0]
        let keys: Set = ["identity", "actions", "drift", "preflight", "authority"]
        #expect(bottle.keys == (kind == "Result" ? keys.union(["pass"]) : keys))
        #expect(bottle["identity"].text == sample.name)
        #expect(bottle["drift"] == .array([]))
        let actions = bottle["actions"].list
        #expect(document["summary"]["actions"].number == Double(actions.count))
        for action in actions {
            #expect(action.keys.isSuperset(of: ["verb", "object", "reason"]))
            #expect(action["reason"].text == "missing")
            guard kind == "Result" else { continue }
            #expect(action["outcome"].text == "done")
            #expect(action["ms"].number != nil)
        }
        let made = Set(actions.map { "\($0["verb"].text) \($0["object"].text)" })
        #expect(
            made.isSuperset(
                of: ["agent", "egress-proxy", "firewall"].map { "create container/\($0)" }
                    + ["internal", "link", "egress"].map { "create network/\($0)" }
            )
        )
        let preflight = bottle["preflight"]
        #expect(preflight.keys == ["hosts", "envNames", "routes", "gitRemotes", "tls"])
        #expect(preflight["hosts"].texts == ["api.bt.test", "files.bt.test"])
        #expect(preflight["envNames"].texts == ["BT_TOKEN"])
        #expect(preflight["gitRemotes"] == .array([]))
        let route = preflight["routes"][0]
        #expect(route.keys == ["host", "port", "methods", "paths", "credential"])
        #expect(route["host"].text == "api.bt.test")
        #expect(route["port"].number == 443)
        #expect(route["methods"].texts == ["GET"])
        #expect(route["paths"].texts == ["/a/"])
        #expect(route["credential"].text == "BT_TOKEN")
        #expect(preflight["tls"]["enabled"] == .bool(true))
        let fingerprint = preflight["tls"]["caFingerprint"]
        #expect(kind == "Plan" ? fingerprint == .null : fingerprint.text.split(separator: ":").count == 32)
    }

    /// Deletes the bottle and expects nothing of it in the engine or in the state folder, but its history.
    private func expectDeleted(_ sample: SampleBottle, _ fixture: BottleFixture) async throws {
        let refused = try await fixture.bottle("delete", sample.name, "-o", "json")
        #expect(refused.status == 1)
        #expect(try refused.document()["code"].text == "needs-yes")
        #expect(try await fixture.snapshot().parts(of: sample.name) == Self.parts)
        let deleted = try await fixture.bottle("delete", sample.name, "--yes", "-o", "json")
        #expect(deleted.status == 0)
        #expect(try Set(deleted.document().keys) == ["apiVersion", "kind", "bottles", "summary"])
        #expect(try await fixture.snapshot() == EngineSnapshot())
        let left = try await fixture.stateFiles().filter {
            $0.contains("/\(sample.name)") && !$0.contains("/desired/.git/")
        }
        #expect(left.filter { !$0.hasSuffix(".lock") } == [])
        let again = try await fixture.bottle("delete", sample.name, "--yes", "-o", "json")
        #expect(again.status == 1)
        #expect(try again.document()["code"].text == "not-found")
    }

    @Test("exit with 64 on wrong usage", arguments: [["apply", "--nonsense"], ["diff", "-o", "tables"], ["nothing"]])
    func usage(_ line: [String]) async throws {
        try await BottleFixture.run { fixture in
            let run = try await fixture.bottle(line)
            #expect(run.status == 64)
            #expect(!exists(fixture.state))
        }
    }

    @Test("at the same time, of one bottle and of others' bottles, all end with their bottle as described")
    func atOnce() async throws {
        try await BottleFixture.run { fixture in
            let sample = Self.whole(fixture)
            let other = SampleBottle.alone(fixture.name())
            let secrets = ["BT_TOKEN": "t0ken"]
            // Both take their addresses from the pool that everybody has.
            try fixture.write("", to: "config/bottle/config.yaml")
            let elsewhere = ["BOTTLE_STATE_DIR": "\(fixture.folder)/other"]
            // Each writes its manifest before the first begins.
            let file = try fixture.write(sample)
            let otherFile = try fixture.write(other)
            async let first = fixture.bottle("apply", "-f", file, "--yes", "-o", "json", environment: secrets)
            async let second = fixture.bottle("apply", "-f", file, "--yes", "-o", "json", environment: secrets)
            async let third = fixture.bottle("apply", "-f", otherFile, "--yes", environment: elsewhere)
            let runs = try await [first, second, third]
            for run in runs { #expect(run.status == 0, "\(run)") }
            // Whatever was needed was made by one of the two.
            let made = try (runs[0].actions(outcome: "done") + runs[1].actions(outcome: "done")).filter {
                $0.hasPrefix("create")
            }
            #expect(made.count == Self.parts.count)
            #expect(try await fixture.snapshot().parts(of: sample.name) == Self.parts)
            #expect(try await fixture.applied(sample, environment: secrets).actions() == [])
            let there = try await fixture.snapshot(of: "\(fixture.folder)/other")
            #expect(there.parts(of: other.name) == ["agent", "home", "internal"])
        }
    }

    @Test("a bottle without what others have comes up, changes, and goes", arguments: Variant.all)
    func variant(_ variant: Variant) async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle(name: fixture.name()).with(variant.shape)
            let cold = try await fixture.applied(sample)
            #expect(try cold.document()["bottles"][0]["preflight"]["tls"]["enabled"] == .bool(variant.isProxied))
            #expect(try await fixture.snapshot().parts(of: sample.name) == variant.parts)
            let warm = try await fixture.applied(sample)
            #expect(try warm.actions() == [])

            let agent = "bottle-\(sample.name)-agent"
            let seen = try await fixture.docker("exec", agent, "sh", "-c", "echo $https_proxy; ls /etc/bottle 2>&1; :")
            #expect(seen == variant.seen)

            if let edit = variant.edit {
                let changed = sample.with(edit.change)
                let there = try await fixture.applied(changed)
                #expect(try there.actions() == edit.there)
                #expect(try await fixture.applied(changed).actions() == [])
                let back = try await fixture.applied(sample)
                #expect(try back.actions() == edit.back)
                #expect(try await fixture.applied(sample).actions() == [])
            }
            #expect(try await fixture.bottle("delete", sample.name, "--yes").status == 0)
            #expect(try await fixture.snapshot() == EngineSnapshot())
        }
    }

    struct Variant: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let shape: @Sendable (inout SampleBottle) -> Void
        let parts: [String]
        let isProxied: Bool
        /// The agent's proxy, and what was put into it.
        let seen: String
        var edit: (change: @Sendable (inout SampleBottle) -> Void, there: [String], back: [String])?

        static let all = [
            Variant(
                testDescription: "no routes: the firewall faces the agent, and no CA",
                shape: { $0.allowlist = ["files.bt.test"] },
                parts: ["agent", "egress", "firewall", "firewall-config", "firewall-run", "home", "internal"],
                isProxied: false,
                seen: "http://firewall:8888\nls: cannot access '/etc/bottle': No such file or directory",
                edit: (
                    { $0.allowlist.append("more.bt.test") },
                    ["copy container/firewall", "signal container/firewall"],
                    ["copy container/firewall", "restart container/firewall"]
                )
            ),
            Variant(
                testDescription: "no firewall: the proxy leaves by itself",
                shape: {
                    $0.firewall = "none"
                    $0.routes = ["{host: api.bt.test}"]
                },
                parts: [
                    "agent", "egress", "egress-proxy", "egress-proxy-config", "egress-proxy-run", "home", "internal",
                ],
                isProxied: true,
                seen: "http://egress-proxy:9099\napt.conf\nca-bundle.jks\nca-bundle.pem\nca.pem\nwgetrc",
                edit: (
                    { $0.routes.append("{host: more.bt.test}") },
                    ["copy container/egress-proxy", "signal container/egress-proxy"],
                    ["copy container/egress-proxy", "signal container/egress-proxy"]
                )
            ),
            Variant(
                testDescription: "neither: no way out",
                shape: { $0.firewall = "none" },
                parts: ["agent", "home", "internal"],
                isProxied: false,
                seen: "\nls: cannot access '/etc/bottle': No such file or directory"
            ),
        ]
    }
}
