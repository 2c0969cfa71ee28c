import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerPlatform
import Testing

/// `bottle denied`: from a refused request in an agent to the change that lets it through.
@Suite(.needsEngine) struct DeniedTests {
    @Test func whatAnAgentWasRefusedIsShownKeptSuggestedAndLetThrough() async throws {
        try await BottleFixture.run { fixture in
            let internet = try await Internet.start(in: fixture)
            var sample = SampleBottle(
                name: fixture.name(),
                egress: internet.egress,
                routes: ["{host: api.bt.test, methods: [GET], path_allowlist: [/repos/acme/]}"]
            )
            try await fixture.applied(sample)
            let agent = "bottle-\(sample.name)-agent"
            func ask(_ arguments: String...) async throws -> String {
                let curl = [
                    "docker", "exec", agent, "curl", "-s", "-o", "/dev/null", "--max-time", "20", "-w", "%{http_code}",
                ]
                return try await fixture.run(curl + arguments).output
            }

            #expect(try await ask("https://files.bt.test/a") == "403")
            #expect(try await ask("https://files.bt.test/b") == "403")
            #expect(try await ask("https://api.bt.test/user") == "403")
            #expect(try await ask("-X", "POST", "https://api.bt.test/repos/acme/x") == "403")
            #expect(try await ask("https://evil.bt.test/x/info/refs?service=git-receive-pack") == "403")
            #expect(try await ask("https://statsig.anthropic.com/v1") == "403")

            // Without a controller: from the logs.
            let table = try await fixture.bottle("denied", sample.name)
            #expect(table.status == 0, "\(table)")
            for text in ["files.bt.test", "api.bt.test", "git-push", "/user", "not shown: 1 "] {
                #expect(table.output.contains(text), "\(text): \(table)")
            }
            #expect(!table.output.contains("statsig"))
            // What the operator calls noise is none where anything but a missing entry refused it.
            try fixture.write(
                fixture.settings + "denied: {ignore: [files.bt.test, evil.bt.test]}\n",
                to: "config/bottle/config.yaml"
            )
            let quiet = try await fixture.bottle("denied", sample.name)
            #expect(!quiet.output.contains("files.bt.test") && quiet.output.contains("evil.bt.test"), "\(quiet)")
            #expect(quiet.output.contains("not shown: 3 "), "\(quiet)")
            try fixture.write(fixture.settings, to: "config/bottle/config.yaml")
            let first = try await fixture.denied(sample)
            #expect(
                first == [
                    "api.bt.test method 1", "api.bt.test path 1", "evil.bt.test git-push 1", "files.bt.test host 2",
                ]
            )

            // With one: kept, and told as it comes.
            try await fixture.underController { _ in
                try await fixture.until("kept") {
                    let kept = try DurableFile.read("\(fixture.state)/refusals/\(sample.name).jsonl", limit: 1 << 20)
                    return String(decoding: kept ?? [], as: UTF8.self).contains("git-push")
                }
                let watched = "\(fixture.folder)/watched"
                let watching =
                    "echo $$ >'\(watched).pid'; exec '\(fixture.executable)' denied '\(sample.name)' -w -o json >'\(watched)'"
                try await withThrowingTaskGroup(of: Run.self) { group in
                    group.addTask { try await fixture.run(["sh", "-c", watching]) }
                    func told() throws -> String {
                        String(decoding: try DurableFile.read(watched, limit: 1 << 20) ?? [], as: UTF8.self)
                    }
                    try await fixture.until("what there was") { try told().contains("files.bt.test") }
                    #expect(try await ask("https://more.bt.test/") == "403")
                    try await fixture.until("what is new") { try told().contains("more.bt.test") }
                    let watcher = try DurableFile.read("\(watched).pid", limit: 32) ?? []
                    let process = String(decoding: watcher, as: UTF8.self).trimmingSuffix(while: \.isNewline)
                    _ = try await fixture.run(["kill", "-TERM", String(process)])
                }
                let before = try await fixture.denied(sample)
                try await fixture.docker("rm", "-f", "bottle-\(sample.name)-egress-proxy")
                try await fixture.until("it is recreated") {
                    try await fixture.bottle("diff", sample.name, "-o", "json").status == 0
                }
                #expect(try await fixture.denied(sample) == before)
                #expect(try await ask("https://docs.bt.test/") == "403")
                #expect(try await fixture.denied(sample) == (before + ["docs.bt.test host 1"]).sorted())
            }

            let list = try await fixture.bottle("denied", sample.name, "-o", "json").document()
            func id(_ host: String, _ rule: String) -> String {
                list["items"].list.first { $0["host"].text == host && $0["rule"].text == rule }?["id"].text ?? ""
            }
            let ids = [
                id("files.bt.test", "host"), id("api.bt.test", "path"), id("api.bt.test", "method"),
                id("evil.bt.test", "git-push"),
            ]
            let suggested = try await fixture.bottle(["denied", sample.name, "--suggest", "-o", "json"] + ids)
                .document()
            #expect(
                suggested["groups"].list.map { $0["outcome"].text } == ["allowed", "allowed", "allowed", "impossible"]
            )
            #expect(suggested["addedHosts"].texts == ["files.bt.test"])
            let given = suggested["authority"].list.map { "\($0["change"].text) \($0["kind"].text)" }
            #expect(Set(given).isSuperset(of: ["added host", "added path", "added write-method"]), "\(given)")
            let route = suggested["routes"][0]
            #expect(route["paths"].texts == ["/repos/acme/", "/user"])
            #expect(route["methods"].texts == ["GET", "POST"])
            let unknown = try await fixture.bottle("denied", sample.name, "--suggest", "aaaaaaaaaaaa")
            #expect(unknown.status == 1, "\(unknown)")

            sample.allowlist = suggested["addedHosts"].texts
            let methods = route["methods"].texts.joined(separator: ", ")
            let paths = route["paths"].texts.joined(separator: ", ")
            sample.routes = ["{host: \(route["host"].text), methods: [\(methods)], path_allowlist: [\(paths)]}"]
            try await fixture.applied(sample)
            #expect(try await ask("https://files.bt.test/a") == "200")
            #expect(try await ask("https://api.bt.test/user") == "200")
            #expect(try await ask("-X", "POST", "https://api.bt.test/repos/acme/x") == "200")
            #expect(try await ask("https://evil.bt.test/") == "403")
        }
    }

    @Test func withoutRoutesTheFirewallsRefusalsAreShown() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle(name: fixture.name(), allowlist: ["files.bt.test"])
            try await fixture.applied(sample)
            let empty = try await fixture.bottle("denied", sample.name)
            #expect(empty.status == 0 && empty.output.contains("nothing was refused"), "\(empty)")
            let agent = "bottle-\(sample.name)-agent"
            _ = try await fixture.run([
                "docker", "exec", agent, "curl", "-s", "--max-time", "20", "https://evil.bt.test/",
            ])
            _ = try await fixture.run(["docker", "exec", agent, "curl", "-s", "--max-time", "20", "https://10.9.8.7/"])
            try await fixture.until("both are told") {
                try await fixture.denied(sample) == ["10.9.8.7 not-a-name 1", "evil.bt.test unlisted-host 1"]
            }
            let missing = try await fixture.bottle("denied", "no-such-bottle")
            #expect(missing.status == 1, "\(missing)")
        }
    }

    /// Nothing an agent can put into its requests reaches the terminal.
    @Test func noLineOfALogCanSteerTheTerminal() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle(name: fixture.name(), allowlist: ["files.bt.test"])
            try await fixture.applied(sample)
            let time = #""time":"2026-11-24T03:00:00Z","event":"refused","sidecar":"firewall""#
            let hostile = #"\u001b[2J\u202e\u0000\n\r\u009b"#
            var lines = (0..<300).map { number in
                #"{\#(time),"host":"\#(hostile)\#(number).test","rule":"host","count":1,"first":"2026-11-24T03:00:00Z","#
                    + #""method":"\#(hostile)","path":"/\#(hostile)","reason":"\#(hostile)"}"#
            }
            lines.append(#"{"time":"2026-11-24T03:00:00Z","event":"read","container":"\#(hostile)","lines":1}"#)
            let path = "refusals/\(sample.name).jsonl"
            try DurableFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: "\(fixture.state)/\(path)")
            for arguments in [["-o", "table"], ["-o", "json"], ["-o", "yaml"], ["--suggest"]] {
                let run = try await fixture.bottle(["denied", sample.name] + arguments)
                #expect(run.status == 0, "\(arguments)")
                let isPlain = run.text.unicodeScalars.allSatisfy { scalar in
                    scalar == "\n"
                        || scalar.properties.generalCategory != .control && scalar.properties.generalCategory != .format
                }
                #expect(isPlain, "\(arguments)")
                #expect(run.output.contains("299.test"), "\(arguments)")
            }
        }
    }
}

extension BottleFixture {
    /// What a bottle was refused, as `host rule count`, sorted.
    fileprivate nonisolated func denied(_ sample: SampleBottle) async throws -> [String] {
        let document = try await bottle("denied", sample.name, "-o", "json").document()
        return document["items"].list.map { item in
            "\(item["host"].text) \(item["rule"].text) \(Int(item["count"].number ?? 0))"
        }.sorted()
    }
}
