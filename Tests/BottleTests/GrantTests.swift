import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerPlatform
import Testing

/// What an operator changes of a bottle beside its manifest: grant, revoke, edit, rollback, export.
@Suite(.needsEngine) struct GrantTests {
    private func walled(_ fixture: BottleFixture) -> SampleBottle {
        SampleBottle(
            name: fixture.name(),
            allowlist: ["docs.bt.test"],
            routes: ["{host: api.bt.test, methods: [GET], path_allowlist: [/a/]}"]
        )
    }

    /// An editor that puts what `script` makes of the file in its place; each call is one line of `calls`.
    private func editor(_ fixture: BottleFixture, _ script: String) throws -> [String: String] {
        let path = "\(fixture.folder)/editor"
        let text = "#!/bin/sh\necho call >>'\(fixture.folder)/calls'\ncp \"$1\" '\(fixture.folder)/shown'\n\(script)\n"
        try DurableFile.write(Array(text.utf8), to: path, mode: 0o700)
        return ["EDITOR": path]
    }

    private func shown(_ fixture: BottleFixture) throws -> String {
        String(decoding: try DurableFile.read("\(fixture.folder)/shown", limit: 1 << 20) ?? [], as: UTF8.self)
    }

    private func exported(_ name: String, _ fixture: BottleFixture) async throws -> String {
        let run = try await fixture.bottle("export", name)
        try #require(run.status == 0, "\(run)")
        return run.output
    }

    private static let copies = [
        "copy container/firewall", "signal container/firewall", "copy container/egress-proxy",
        "signal container/egress-proxy",
    ]

    @Test func whatIsGrantedTakesEffectOutlivesAnApplyAndIsTakenBack() async throws {
        try await BottleFixture.run { fixture in
            let sample = walled(fixture)
            try await fixture.applied(sample)
            let name = sample.name

            let granted = try await fixture.bottle(
                "grant",
                name,
                "host",
                "files.bt.test",
                "--reason",
                "r",
                "-o",
                "json"
            )
            #expect(granted.status == 0, "\(granted)")
            #expect(try granted.actions(outcome: "done") == Self.copies)
            let bottle = try granted.document()["bottles"].list[0]
            #expect(
                bottle["authority"].list.contains { $0["kind"].text == "host" && $0["subject"].text == "files.bt.test" }
            )
            let route = "{\"host\": \"api.bt.test\", \"methods\": [\"GET\"], \"path_allowlist\": [\"/a/\", \"/b/\"]}"
            #expect(try await fixture.bottle("grant", name, "route", route).status == 0)
            let list = try await fixture.bottle("remediations", name, "-o", "json").document()["items"].list
            #expect(list.map(\.["number"].text) == ["1", "2"] || list.count == 2)

            // A later apply of the same manifest keeps both.
            #expect(try await fixture.applied(sample).actions() == [])
            #expect(try await exported(name, fixture).contains("/b/"))
            #expect(try await fixture.bottle("grant", name, "host", "files.bt.test").status == 1)

            let revoked = try await fixture.bottle("revoke", name, "host", "files.bt.test", "-o", "json")
            #expect(revoked.status == 0, "\(revoked)")
            #expect(
                try revoked.actions(outcome: "done") == [
                    "copy container/egress-proxy", "signal container/egress-proxy", "copy container/firewall",
                    "restart container/firewall",
                ]
            )
            // What the manifest says goes by a remediation, too.
            #expect(try await fixture.bottle("revoke", name, "host", "docs.bt.test").status == 0)
            #expect(try await fixture.bottle("revoke", name, "2").status == 0)
            let left = try await exported(name, fixture)
            #expect(!left.contains("docs.bt.test") && !left.contains("files.bt.test") && !left.contains("/b/"))

            let audit = try await fixture.bottle("audit", name, "-o", "json")
            #expect(audit.output.contains("\"grant\"") && audit.output.contains("+ host files.bt.test"))
            #expect(audit.output.contains("\"revoke\"") && audit.output.contains("- host files.bt.test"))
            #expect(try await fixture.bottle("audit", "verify").status == 0)
        }
    }

    @Test func whatCannotBeGrantedIsRefusedAndNothingIsCommitted() async throws {
        try await BottleFixture.run { fixture in
            let sample = walled(fixture)
            try await fixture.applied(sample)
            let before = try await fixture.bottle("history", sample.name, "-o", "json").output
            let lines: [[String]] = [
                ["grant", sample.name, "host", "not a host"], ["grant", sample.name, "host", "10.0.0.1"],
                ["grant", sample.name, "host", "api.bt.test"], ["grant", sample.name, "route", "{hots: a.bt.test}"],
                ["grant", sample.name, "route", "{host: a.bt.test}, {host: b.bt.test}"],
                ["grant", sample.name, "route", "{host: a.bt.test}\n]\nroutes: ["],
                ["grant", sample.name, "--from-refusal", "aaaaaaaaaaaa"], ["grant", "nobody", "host", "a.bt.test"],
                ["revoke", sample.name, "9"], ["revoke", sample.name, "host", "unknown.bt.test"],
                ["rollback", sample.name, "0000000"],
                ["apply", "-f", try fixture.write(sample), "--expect-revision", "HEAD~1", "--yes"],
            ]
            for line in lines {
                let run = try await fixture.bottle(line)
                #expect(run.status == 1, "\(line): \(run)")
            }
            for line in [
                ["grant", sample.name], ["grant", sample.name, "host", "a.bt.test", "--once", "--uses", "3"],
            ] {
                #expect(try await fixture.bottle(line).status == 64)
            }
            #expect(try await fixture.bottle("history", sample.name, "-o", "json").output == before)
        }
    }

    @Test func aGrantWithinLimitsIsListedWithThemAndNoManifestSaysIt() async throws {
        try await BottleFixture.run { fixture in
            let sample = walled(fixture)
            try await fixture.applied(sample)
            let name = sample.name
            let before = try await exported(name, fixture)
            let lines = [
                ["host", "files.bt.test", "--for", "2h", "--uses", "5"],
                ["route", "{host: api.bt.test, methods: [GET], path_allowlist: [/a/, /b/]}", "--once"],
            ]
            for line in lines {
                let run = try await fixture.bottle(["grant", name] + line + ["--reason", "r", "-o", "json"])
                #expect(run.status == 0, "\(run)")
            }
            let list = try await fixture.bottle("remediations", name, "-o", "json").document()["items"].list
            #expect(list.map { $0["maxUses"].number } == [5, 1])
            #expect(!list[0]["notAfter"].text.isEmpty && list[1]["notAfter"].text.isEmpty)
            let told = try await fixture.bottle("export", name)
            #expect(told.output == before)
            #expect(told.errors.ranges(of: "within limits only").count == 2, "\(told)")
            // A manifest that says nothing of them leaves them alone.
            #expect(try await fixture.applied(sample).actions() == [])
            #expect(try await fixture.bottle("remediations", name, "-o", "json").document()["items"].list.count == 2)
            #expect(try await fixture.bottle("revoke", name, "1").status == 0)
            #expect(try await fixture.bottle("revoke", name, "2").status == 0)
            #expect(try await fixture.routes(of: sample).contains("max_uses") == false)

            // Where the agent talks to the firewall itself, nothing would enforce the limit.
            let bare = SampleBottle(name: fixture.name(), allowlist: ["docs.bt.test"])
            try await fixture.applied(bare)
            let refused = try await fixture.bottle("grant", bare.name, "host", "files.bt.test", "--for", "2h")
            #expect(refused.status == 1 && refused.errors.contains("egress-proxy"), "\(refused)")
            for wrong in [["--once", "--uses", "3"], ["--for", "0s"], ["--for", "soon"]] {
                #expect(
                    try await fixture.bottle(["grant", name, "host", "a.bt.test"] + wrong).status == 64,
                    "\(wrong)"
                )
                #expect(try await fixture.bottle(["approve", "0123abcd"] + wrong).status == 64, "\(wrong)")
            }
        }
    }

    @Test func whatAnAgentWasRefusedIsGrantedByItsID() async throws {
        try await BottleFixture.run { fixture in
            let sample = walled(fixture)
            try await fixture.applied(sample)
            let agent = "bottle-\(sample.name)-agent"
            for url in ["https://files.bt.test/x", "https://api.bt.test/b/c"] {
                _ = try await fixture.run(["docker", "exec", agent, "curl", "-s", "--max-time", "20", url])
            }
            let items = try await fixture.bottle("denied", sample.name, "-o", "json").document()["items"].list
            let ids = items.map(\.["id"].text)
            #expect(ids.count == 2)
            let line = ["grant", sample.name] + ids.flatMap { ["--from-refusal", $0] } + ["--narrow"]
            #expect(try await fixture.bottle(line).status == 0)
            let text = try await exported(sample.name, fixture)
            #expect(text.contains("host: files.bt.test") && text.contains("/b/c"))
        }
    }

    @Test func editsInAnEditorBecomeRemediationsOrAnotherManifest() async throws {
        try await BottleFixture.run { fixture in
            let sample = walled(fixture)
            try await fixture.applied(sample)
            let name = sample.name

            var environment = try editor(fixture, "echo more.bt.test >>\"$1\"")
            #expect(try await fixture.bottle("edit", "allowlist", name, environment: environment).status == 0)
            #expect(try shown(fixture).contains("docs.bt.test"))
            environment = try editor(fixture, "sed -i 's|/a/|/c/|' \"$1\"")
            #expect(try await fixture.bottle("edit", "routes", name, environment: environment).status == 0)
            environment = try editor(fixture, "sed -i 's|docs.bt.test|manual.bt.test|' \"$1\"")
            #expect(try await fixture.bottle("edit", "manifest", name, environment: environment).status == 0)
            let text = try await exported(name, fixture)
            for part in ["more.bt.test", "manual.bt.test", "/c/"] { #expect(text.contains(part), "\(part): \(text)") }
            #expect(!text.contains("docs.bt.test"))
            let remediations = try await fixture.bottle("remediations", name, "-o", "json").document()["items"].list
            #expect(remediations.count == 2)

            // Unchanged is nothing; what can't be read comes back once with the errors on top, and is kept.
            let before = try await fixture.bottle("history", name, "-o", "json").output
            environment = try editor(fixture, "true")
            let unchanged = try await fixture.bottle("edit", "routes", name, "-o", "json", environment: environment)
            #expect(unchanged.status == 0, "\(unchanged)")
            #expect(try unchanged.document()["kind"].text == "Result" && unchanged.actions() == [])
            environment = try editor(fixture, "grep -q nonsense \"$1\" || echo 'nonsense: yes' >>\"$1\"")
            let refused = try await fixture.bottle("edit", "routes", name, environment: environment)
            #expect(refused.status == 1, "\(refused)")
            #expect(try shown(fixture).contains("unknown key 'nonsense'"))
            let kept = try #require(
                refused.errors.split(whereSeparator: \.isWhitespace).first { $0.contains("/edits/") }
            )
            #expect(try DurableFile.read(String(kept), limit: 1 << 20) != nil)
            environment = try editor(fixture, "exit 3")
            #expect(try await fixture.bottle("edit", "routes", name, environment: environment).status == 1)
            environment["EDITOR"] = "/nowhere/editor"
            #expect(try await fixture.bottle("edit", "routes", name, environment: environment).status == 1)
            #expect(try await fixture.bottle("history", name, "-o", "json").output == before)
        }
    }

    @Test func anEditorThatWritesOtherLineBreaksLosesNothing() async throws {
        try await BottleFixture.run { fixture in
            let sample = walled(fixture)
            try await fixture.applied(sample)
            let environment = try editor(fixture, "echo files.bt.test >>\"$1\"; sed -i 's/$/\\r/' \"$1\"")
            let edited = try await fixture.bottle("edit", "allowlist", sample.name, environment: environment)
            #expect(edited.status == 0, "\(edited)")
            #expect(try await exported(sample.name, fixture).contains("files.bt.test"))
        }
    }

    @Test func anotherDockerfileReplacesTheAgentOnItsHome() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            try await fixture.applied(sample)
            let agent = "bottle-\(sample.name)-agent"
            try await fixture.docker("exec", agent, "sh", "-c", "echo kept >$HOME/note")
            let environment = try editor(fixture, "echo 'RUN echo made >/var/tmp/made' >>\"$1\"")
            // Without a terminal there is no answer to the question about the living agent.
            #expect(try await fixture.bottle("edit", "dockerfile", sample.name, environment: environment).status == 1)
            let edited = try await fixture.bottle("edit", "dockerfile", sample.name, "--yes", environment: environment)
            #expect(edited.status == 0, "\(edited)")
            #expect(try shown(fixture).contains("FROM bottle/agent"))
            #expect(try await fixture.docker("exec", agent, "sh", "-c", "cat /var/tmp/made $HOME/note") == "made\nkept")
        }
    }

    @Test func whatIsExportedAppliedDesiresTheSameAndPruningGoesBackToTheManifest() async throws {
        try await BottleFixture.run { fixture in
            let sample = walled(fixture)
            try await fixture.applied(sample)
            let name = sample.name
            #expect(try await fixture.bottle("grant", name, "host", "files.bt.test").status == 0)
            #expect(try await fixture.bottle("revoke", name, "host", "docs.bt.test").status == 0)
            for route in [
                "{host: manual.bt.test, methods: [GET], path_allowlist: [/x/]}",
                "{host: api.bt.test, methods: [GET, POST], path_allowlist: [/a/]}",
            ] {
                #expect(try await fixture.bottle("grant", name, "route", route).status == 0)
            }
            let dockerfile = try editor(fixture, "echo 'ENV MARK=made' >>\"$1\"")
            let edit = ["edit", "dockerfile", name, "--yes"]
            #expect(try await fixture.bottle(edit, environment: dockerfile).status == 0)
            let first = try await fixture.bottle("history", name, "-o", "json").document()["items"].list.last
            let text = try await exported(name, fixture)
            let path = "\(fixture.folder)/exported.yaml"
            try DurableFile.write(Array(text.utf8), to: path)
            let planned = try await fixture.bottle("apply", "-f", path, "--dry-run", "-o", "json")
            #expect(planned.status == 0, "\(planned)")
            let head = try await fixture.bottle("history", name, "-o", "json").document()["items"][0]["revision"].text
            let expecting = ["apply", "-f", path, "--yes", "-o", "json", "--expect-revision"]
            #expect(try await fixture.bottle(expecting + ["HEAD~1"]).status == 1)
            let applied = try await fixture.bottle(expecting + [head])
            #expect(try applied.actions() == [])
            #expect(try await exported(name, fixture) == text)
            #expect(try await fixture.bottle("remediations", name, "-o", "json").document()["items"].list.isEmpty)

            #expect(try await fixture.bottle("grant", name, "host", "more.bt.test").status == 0)
            let pruned = try await fixture.bottle("apply", "-f", path, "--prune-remediations", "--yes", "-o", "json")
            #expect(pruned.status == 0, "\(pruned)")
            #expect(try await exported(name, fixture) == text)

            let revision = try #require(first?["revision"].text)
            let back = try await fixture.bottle("rollback", name, String(revision.prefix(10)), "--yes", "-o", "json")
            #expect(back.status == 0, "\(back)")
            let then = try await exported(name, fixture)
            #expect(then.contains("docs.bt.test") && !then.contains("files.bt.test"))
            #expect(try await fixture.bottle("rollback", name, String(revision.prefix(10))).status == 1)
            // What was deleted comes back, too.
            #expect(try await fixture.bottle("delete", name, "--yes").status == 0)
            #expect(try await fixture.bottle("rollback", name, String(revision.prefix(10))).status == 0)
            #expect(try await exported(name, fixture) == then)
        }
    }
}
