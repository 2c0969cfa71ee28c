import FoundationEssentials
import Reconciler
import ReconcilerPlatform
import Testing

/// `wait`, `logs` and what `describe` tells of passes, on a real bottle.
@Suite struct LookingTests {
    @Test func waitingEndsWithTheConditionTheTimeOrTheBottle() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            let missing = try await fixture.bottle("wait", sample.name)
            #expect(missing.status == 1)
            try await fixture.applied(sample)
            let ready = try await fixture.bottle("wait", sample.name, "-o", "json")
            #expect(ready.status == 0, "\(ready)")
            #expect(try ready.document()["bottles"].list.map(\.text) == [sample.name])
            let inVain = try await fixture.bottle(
                "wait",
                sample.name,
                "--for",
                "condition=Failed",
                "--timeout",
                "200ms"
            )
            #expect(inVain.status == 1)
            // Ready of the revision before says nothing of the edit.
            try await fixture.edit(sample) { $0.replacing("  agent:\n", with: "  agent:\n    restart: always\n") }
            let stale = try await fixture.bottle("wait", sample.name, "--timeout", "200ms", "-o", "json")
            #expect(stale.status == 1)
            #expect(try stale.document()["code"].text == "timeout")
            async let gone = fixture.bottle("wait", sample.name, "--for", "delete", "--timeout", "60s")
            let deleted = try await fixture.bottle("delete", sample.name, "--yes")
            #expect(deleted.status == 0, "\(deleted)")
            let end = try await gone
            #expect(end.status == 0, "\(end)")
            for wrong in ["Ready", "condition=Odd", "condition=Ready=Perhaps"] {
                #expect(try await fixture.bottle("wait", sample.name, "--for", wrong).status == 64)
            }
        }
    }

    @Test(arguments: [true, false])
    func watchingShowsEachBottleAgainWhenItChangedAndThatItWasDeleted(isNamed: Bool) async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            try await fixture.applied(sample)
            let watched = "\(fixture.folder)/watched"
            let get = "get \(isNamed ? sample.name : "") -w -o json"
            let line = "echo $$ >'\(watched).pid'; exec '\(fixture.executable)' \(get) >'\(watched)'"
            func told() throws -> [JSON] {
                let text = String(decoding: try DurableFile.read(watched, limit: 1 << 20) ?? [], as: UTF8.self)
                return try text.split(separator: "\n").map { try JSONDecoder().decode(JSON.self, from: Data($0.utf8)) }
            }
            func states() throws -> [String] { try told().map { $0["containers"][0]["state"].text } }
            try await withThrowingTaskGroup(of: Run.self) { group in
                group.addTask { try await fixture.run(["sh", "-c", line]) }
                try await fixture.until("how it is") { try states() == ["running"] }
                try await fixture.docker("stop", "-t", "0", "bottle-\(sample.name)-agent")
                try await fixture.until("that it ended") { try states().last == "exited" }
                let deleted = try await fixture.bottle("delete", sample.name, "--yes")
                #expect(deleted.status == 0, "\(deleted)")
                try await fixture.until("that it was deleted") { try told().last?["deleted"] == .bool(true) }
                let items = try told()
                #expect(items.allSatisfy { $0["identity"].text == sample.name })
                #expect(items.count { $0["deleted"] != .missing } == 1)
                let gone = try #require(items.last)
                #expect(gone["containers"] == .array([]) && gone["conditions"] == .array([]))
                #expect(gone["desiredRevision"] == .null && gone["observedRevision"] == .null)
                try await fixture.applied(sample)
                try await fixture.until("that it is back") { try states().last == "running" }
                let watcher = try DurableFile.read("\(watched).pid", limit: 32) ?? []
                let process = String(decoding: watcher, as: UTF8.self).trimmingSuffix(while: \.isNewline)
                _ = try await fixture.run(["kill", "-TERM", String(process)])
            }
        }
    }

    @Test func logsAreMergedByTimeAndCanNotSteerTheTerminal() async throws {
        try await BottleFixture.run { fixture in
            var sample = SampleBottle(name: fixture.name(), routes: ["{host: api.bt.test}"])
            // On a busy machine the egress-proxy listens a little after it was started.
            let curl = "curl -s -o /dev/null --retry 30 --retry-connrefused --retry-delay 1"
            let steps = [
                "printf 'one \\\\033[2Jtwo\\\\n'", "\(curl) http://early.bt.test/", "sleep 2", "echo three",
            ]
            sample.agent = ["command: [sh, -c, \"\(steps.joined(separator: "; ")); sleep 99\"]"]
            try await fixture.applied(sample)
            try await fixture.until("the agent has said all") {
                try await fixture.docker("logs", "bottle-\(sample.name)-agent").contains("three")
            }
            let all = try await fixture.bottle("logs", sample.name)
            #expect(all.status == 0, "\(all)")
            #expect(!all.output.contains("\u{1B}"))
            #expect(all.output.contains("\\u{1b}[2Jtwo"))
            let places = ["two", "early.bt.test", "three"].map { all.output.firstRange(of: $0)?.lowerBound }
            #expect(places.allSatisfy { $0 != nil }, "\(all)")
            #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted(), "\(all)")
            let one = try await fixture.bottle("logs", sample.name, "egress-proxy", "-o", "json")
            let line = try #require(one.output.split(separator: "\n").last)
            let document = try JSONDecoder().decode(JSON.self, from: Data(line.utf8))
            #expect(document["role"].text == "egress-proxy")
            #expect(document["text"].text.contains("early.bt.test"))
            #expect(try await fixture.bottle("logs", "nobody").status == 1)
            #expect(try await fixture.bottle("logs", sample.name, "captain").status == 64)
        }
    }

    @Test func driftIsToldApartFromWhatIsDesiredAnew() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle(name: fixture.name(), allowlist: ["files.bt.test"])
            try await fixture.applied(sample)
            try await fixture.edit(sample) { $0.replacing("files.bt.test", with: "more.bt.test") }
            func seen() async throws -> [JSON] {
                let difference = try await fixture.bottle("diff", sample.name, "-o", "json")
                #expect(difference.status == 2, "\(difference)")
                let described = try await fixture.bottle("describe", sample.name, "-o", "json").document()
                return [try difference.document()["bottles"][0], described["plan"]]
            }
            func isEdit(_ action: JSON) -> Bool { action["path"].text == "/etc/firewall/allowlist" }
            for bottle in try await seen() {
                #expect(bottle["drift"] == .array([]))
                #expect(bottle["actions"].list.contains(where: isEdit))
            }
            try await fixture.docker("stop", "-t", "0", "bottle-\(sample.name)-firewall")
            for bottle in try await seen() {
                let drift = bottle["drift"].list.map { "\($0["kind"].text) \($0["object"].text)" }
                #expect(drift == ["stopped container/firewall"])
                #expect(bottle["actions"].list.contains(where: isEdit))
            }
        }
    }

    @Test func theLastPassesAreTold() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            try await fixture.applied(sample)
            try await fixture.freeze("bottle-\(sample.name)-agent")
            try await fixture.applied(sample)
            try await fixture.applied(sample)
            let told = try await fixture.bottle("describe", sample.name, "-o", "json").document()
            let passes = told["passes"].list
            #expect(passes.count == 2)
            #expect(passes.last?["outcome"].text == "converged")
            #expect(passes.last?["actions"].list.map { $0["verb"].text } == ["unpause"])
            #expect(passes.last?["drift"].list.isEmpty == false)
        }
    }
}
