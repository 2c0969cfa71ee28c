import Reconciler
import ReconcilerPlatform
import Testing

@Suite("The other commands", .serialized, .needsEngine)
struct CommandTests {
    @Test("tell about a bottle what their contracts name")
    func about() async throws {
        try await BottleFixture.run { fixture in
            let empty = try await fixture.bottle("get", "-o", "json")
            #expect(empty.status == 0)
            #expect(try empty.document()["items"] == .array([]))
            #expect(!exists(fixture.state))

            let sample = SampleBottle.alone(fixture.name())
            try await fixture.applied(sample)
            let list = try await fixture.bottle("get", "-o", "json").document()
            #expect(list["kind"].text == "BottleList")
            let item = list["items"][0]
            try expectItem(item, of: sample, fixture)

            let described = try await fixture.bottle("describe", sample.name, "-o", "json")
            #expect(described.status == 0)
            #expect(try described.document()["bottle"]["identity"].text == sample.name)
            let table = try await fixture.bottle("describe", sample.name)
            #expect(table.output.contains(sample.name))
            let missing = try await fixture.bottle("describe", "bt-nobody", "-o", "json")
            #expect(missing.status == 1)
            #expect(try missing.document()["code"].text == "not-found")
        }
    }

    private func expectItem(_ item: JSON, of sample: SampleBottle, _ fixture: BottleFixture) throws {
        #expect(
            item.keys.isSuperset(of: ["identity", "desiredRevision", "observedRevision", "conditions", "containers"])
        )
        #expect(item["identity"].text == sample.name)
        #expect(item["desiredRevision"].text == (try fixture.desiredHead()?.prefix(40)).map(String.init))
        #expect(item["observedRevision"] == item["desiredRevision"])
        #expect(item.condition("Ready") == "True")
        for condition in item["conditions"].list {
            #expect(condition.keys == ["type", "status", "reason", "message", "lastTransitionTime"])
        }
        #expect(item["containers"].list.map(\.["role"].text) == ["agent"])
        #expect(item["containers"][0].keys == ["role", "id", "state", "image"])
        #expect(item["containers"][0]["state"].text == "running")
    }

    @Test("explain themselves in paragraphs that a terminal breaks, and in examples that fit it")
    func help() async throws {
        try await BottleFixture.run { fixture in
            let dump = try await fixture.bottle("--experimental-dump-help").document()
            var commands = [dump["command"]]
            var count = 0
            while let command = commands.popLast() {
                count += 1
                commands += command["subcommands"].list
                let name = command["commandName"].text
                let lines = command["discussion"].text.split(separator: "\n", omittingEmptySubsequences: false)
                for (line, next) in zip(lines, lines.dropFirst() + [""]) {
                    if line.hasPrefix(" ") {
                        #expect(line.count <= 80, "\(name): \(line)")
                    } else {
                        #expect(line.isEmpty || next.isEmpty, "\(name) breaks its own line: \(line)")
                    }
                }
            }
            #expect(count > 20)
        }
    }

    @Test("make a manifest that is valid, and check one without an engine")
    func manifest() async throws {
        try await BottleFixture.run { fixture in
            let engineless = ["DOCKER_HOST": "unix:///nonexistent"]
            let made = try await fixture.bottle("init", environment: engineless)
            #expect(made.status == 0)
            let file = try fixture.write(made.output, to: "made.yaml")
            let valid = try await fixture.bottle("validate", "-f", file, "-o", "json", environment: engineless)
            #expect(valid.status == 0, "\(valid)")
            _ = try valid.document()
            let piped = try await fixture.bottle(["validate", "-f", "-"], environment: engineless, input: made.output)
            #expect(piped.status == 0, "\(piped)")
            #expect(!exists(fixture.state))
        }
    }

    @Test(
        "print one document each, without an engine and without state",
        arguments: [["schema"], ["version", "-o", "json"], ["init", "-o", "json"]]
    )
    func documents(_ line: [String]) async throws {
        try await BottleFixture.run { fixture in
            let run = try await fixture.bottle(line, environment: ["DOCKER_HOST": "unix:///nonexistent"])
            #expect(run.status == 0)
            #expect(try !run.document().keys.isEmpty)
            #expect(!exists(fixture.state))
        }
    }

    @Test("show no text as it is that could steer a terminal, in a document either", arguments: ["json", "yaml"])
    func documentsAreHarmless(_ format: String) async throws {
        try await BottleFixture.run { fixture in
            let text = "a\u{202E}b\u{9B}31m\u{E0041}\u{3164}"
            let run = try await fixture.bottle("describe", text, "-o", format)
            #expect(run.status == 1)
            #expect(run.output.contains("202e"), "\(run)")
            let harmful = run.text.unicodeScalars.filter { scalar in
                scalar != "\n"
                    && ([.control, .format, .unassigned].contains(scalar.properties.generalCategory)
                        || scalar.properties.isDefaultIgnorableCodePoint)
            }
            #expect(harmful.isEmpty, "\(harmful)")
            if format == "json" { #expect(try run.document()["message"].text.contains(text)) }
        }
    }

    @Test("refuse what they would have to pass over", arguments: [["diff", "dev", "-f", "bottle.yaml"]])
    func passedOver(_ line: [String]) async throws {
        try await BottleFixture.run { fixture in
            let run = try await fixture.bottle(line, environment: ["DOCKER_HOST": "unix:///nonexistent"])
            #expect(run.status == 64, "\(run)")
        }
    }

    @Test("doctor finds the engine, and says what to do where there is none")
    func doctor() async throws {
        try await BottleFixture.run { fixture in
            let good = try await fixture.bottle("doctor", "-o", "json")
            let engine = try good.document()["checks"].list.first { $0["name"].text == "engine" }
            #expect(engine?["verdict"].text == "good")
            let bad = try await fixture.bottle(
                "doctor",
                "-o",
                "json",
                environment: ["DOCKER_HOST": "unix:///nonexistent"]
            )
            #expect(bad.status == 1)
            let missing = try bad.document()["checks"].list.first { $0["name"].text == "engine" }
            #expect(missing?["verdict"].text != "good")
            #expect(!exists(fixture.state))
        }
    }

    @Test("doctor names what is damaged of the desired state, its history and the audit log")
    func doctorAndDamage() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            try await fixture.applied(sample)
            func verdicts() async throws -> [String: String] {
                let run = try await fixture.bottle("doctor", "-o", "json")
                let checks = try run.document()["checks"].list
                let bad = checks.contains { $0["verdict"].text == "bad" }
                #expect(run.status == (bad ? 1 : 0))
                return Dictionary(uniqueKeysWithValues: checks.map { ($0["name"].text, $0["verdict"].text) })
            }
            let whole = try await verdicts()
            #expect(["state", "history", "audit log"].allSatisfy { whole[$0] == "good" }, "\(whole)")

            let desired = "\(fixture.state)/desired"
            let commit = "git -C '\(desired)' -c user.name=x -c user.email=x@x commit -q"
            let nonsense = "echo 'spec: ]' >'\(desired)/bottles/\(sample.name).yaml' && \(commit) -a -m by-hand"
            #expect(try await fixture.run(["sh", "-c", nonsense]).status == 0)
            #expect(try await verdicts()["state"] == "bad")
            #expect(try await fixture.run(["git", "-C", desired, "reset", "-q", "--hard", "HEAD~1"]).status == 0)
            #expect(try await verdicts()["state"] == "good")

            #expect(whole["queues"] == "good")
            let queue = "\(fixture.state)/queue/\(sample.name)"
            for folder in [queue, "\(queue)/in", "\(queue)/out"] { try POSIX.makeFolder(folder) }
            try DurableFile.write([1], to: "\(queue)/in/odd")
            #expect(try await verdicts()["queues"] == "warning")
            try POSIX.removeTree(queue)

            let spoil = "sed -i '2s/\"what\"/\"what_\"/' '\(fixture.state)/audit.jsonl'"
            #expect(try await fixture.run(["sh", "-c", spoil]).status == 0)
            #expect(try await verdicts()["audit log"] == "bad")

            let object = "find '\(desired)/.git/objects' -type f -name '????????????????????????????????*' | head -n 1"
            let damage = "f=$(\(object)) && chmod u+w \"$f\" && printf x >\"$f\""
            #expect(try await fixture.run(["sh", "-c", damage]).status == 0)
            #expect(try await verdicts()["history"] == "bad")
            // The bottle itself is left alone.
            #expect(try await fixture.snapshot().containers.isEmpty == false)
        }
    }
}
