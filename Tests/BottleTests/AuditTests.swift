import FoundationEssentials
import Reconciler
import ReconcilerPlatform
import Testing

@Suite("The record of what was done", .serialized, .needsEngine)
struct AuditTests {
    @Test("has apply, every action, drift with its cause and delete, and no secret; a quiet pass adds nothing")
    func life() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name()).with { $0.agent.append("env: {API_KEY: HIDE-me}") }
            let launched = try await fixture.applied(sample)
            let lines = try await fixture.audit()
            let apply = try #require(lines.first { $0["what"].text == "apply" })
            #expect(apply["bottle"].text == sample.name)
            let head = try #require(try fixture.desiredHead())
            #expect(apply["revision"].text == head.trimmingSuffix(while: \.isNewline))
            #expect(apply["details"]["after"].texts.contains("spec.agent.image: bottle/agent"))
            let done = try launched.actions().sorted()
            #expect(lines.acts() == done)
            #expect(lines.allSatisfy { $0["operator"].text.contains("@") })

            // Nothing happens: nothing is recorded.
            try await fixture.applied(sample)
            #expect(try await fixture.bottle("run", "--once").status == 0)
            #expect(try await fixture.audit().count == lines.count)

            let agent = "bottle-\(sample.name)-agent"
            try await fixture.docker("rm", "-f", agent)
            let healing = try await fixture.bottle("run", "--once")
            #expect(healing.status == 0, "\(healing)")
            let healed = try await fixture.audit("--kind", "heal")
            #expect(healed.map { $0["details"]["healed"]["object"].text } == ["container/agent"])
            #expect(healed.allSatisfy { $0["details"]["outcome"].text == "done" })
            #expect(healed.allSatisfy { !$0["details"]["healed"]["cause"].text.isEmpty })

            #expect(try await fixture.bottle("delete", sample.name, "--yes", "--reason", "enough").status == 0)
            let deleted = try #require(try await fixture.audit(sample.name, "--kind", "delete").first)
            #expect(deleted["details"]["reason"].text == "enough")
            #expect(deleted["details"]["before"].texts.contains("spec.agent.image: bottle/agent"))
            #expect(try await fixture.audit().acts().contains("remove container/agent"))

            let check = try await fixture.bottle("audit", "verify", "-o", "json")
            #expect(check.status == 0, "\(check)")
            #expect(try check.document()["whole"].bool == true)
            #expect(!(try fixture.auditText()).contains("HIDE"))
        }
    }

    @Test("shows a changed line and a cut-off end, and names them")
    func tampering() async throws {
        try await BottleFixture.run { fixture in
            try await fixture.applied(SampleBottle.alone(fixture.name()))
            let home = "\(fixture.folder)/home"
            let made = try await fixture.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "\(home)/key"])
            try #require(made.status == 0, "\(made)")
            let signed = try await fixture.bottle("audit", "checkpoint", "--key", "\(home)/key", "-o", "json")
            try #require(signed.status == 0, "\(signed)")
            let kept = try fixture.write(signed.output, to: "kept.json")
            let key = try #require(try DurableFile.read("\(home)/key.pub", limit: 4096))
            let allowed = try fixture.write("me@here \(String(decoding: key, as: UTF8.self))", to: "allowed")
            let line = ["audit", "verify", "--checkpoint", kept, "--allowed-signers", allowed, "-o", "json"]
            let whole = try await fixture.bottle(line)
            #expect(whole.status == 0, "\(whole)")
            #expect(try whole.document()["checkpoints"].list.map { $0["signer"].text } == ["me@here"])

            let path = "\(fixture.state)/audit.jsonl"
            let text = try fixture.auditText()
            try DurableFile.write(Array(text.replacing("\"create\"", with: "\"remove\"").utf8), to: path)
            let changed = try await fixture.bottle(line)
            #expect(changed.status == 1)
            let problems = try changed.document()["problems"].list
            #expect(!problems.isEmpty && problems.allSatisfy { $0["problem"].text == "changed" })

            let first = try #require(text.split(separator: "\n").first)
            try DurableFile.write(Array("\(first)\n".utf8), to: path)
            try FileManager.default.removeItem(atPath: "\(fixture.state)/audit-checkpoints")
            #expect(try await fixture.bottle("audit", "verify").status == 0)
            let cut = try await fixture.bottle(line)
            #expect(cut.status == 1)
            #expect(try cut.document()["problems"].list.map { $0["problem"].text } == ["cut-off"])
            try DurableFile.write(Array(text.utf8), to: path)
        }
    }

    @Test("that can't be written keeps everything from being done")
    func refuses() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            try await fixture.applied(sample)
            let head = try fixture.desiredHead()
            let path = "\(fixture.state)/audit.jsonl"
            try POSIX.rename(path, to: "\(fixture.folder)/aside")
            try POSIX.makeFolder(path)
            let agent = "bottle-\(sample.name)-agent"
            try await fixture.docker("rm", "-f", agent)
            for arguments in [["run", "--once"], ["delete", sample.name, "--yes"]] {
                let run = try await fixture.bottle(arguments)
                #expect(run.status == 1 && run.text.contains("audit.jsonl"), "\(run)")
            }
            let edited = try await fixture.apply(sample.with { $0.agent.append("env: {A: b}") })
            #expect(edited.status == 1)
            #expect(try edited.document()["code"].text == "audit-unwritable")
            #expect(try fixture.desiredHead() == head)
            #expect(try await fixture.snapshot().parts(of: sample.name) == ["home", "internal"])
            try FileManager.default.removeItem(atPath: path)
            try POSIX.rename("\(fixture.folder)/aside", to: path)
            #expect(try await fixture.bottle("run", "--once").status == 0)
            #expect(try await fixture.bottle("audit", "verify").status == 0)
        }
    }

    @Test("lets no text steer a terminal")
    func escapes() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            let nasty = "\u{1B}[2J\u{202E}\u{9B}31m"
            let reason = nasty + "\u{1F600}"
            let run = try await fixture.bottle("apply", "-f", try fixture.write(sample), "--yes", "--reason", reason)
            #expect(run.status == 0, "\(run)")
            for format in ["table", "json", "yaml"] {
                let shown = try await fixture.bottle("audit", "-o", format)
                #expect(shown.status == 0)
                for scalar in nasty.unicodeScalars where scalar.value > 0x7E || scalar.value < 0x20 {
                    #expect(!shown.output.unicodeScalars.contains(scalar), "\(format)")
                }
                // YAML has no halves of characters.
                if format == "yaml" { #expect(!shown.output.contains("\\ud83d"), "\(shown)") }
            }
        }
    }
}

extension BottleFixture {
    /// The lines that `bottle audit` shows.
    fileprivate nonisolated func audit(_ arguments: String...) async throws -> [JSON] {
        let run = try await bottle(["audit"] + arguments + ["-o", "json"])
        try #require(run.status == 0, "\(run)")
        return try run.document()["items"].list
    }

    fileprivate nonisolated func auditText() throws -> String {
        String(decoding: try DurableFile.read("\(state)/audit.jsonl", limit: 16 << 20) ?? [], as: UTF8.self)
    }
}

extension [JSON] {
    /// What was done, sorted: `create container/agent`.
    fileprivate func acts() -> [String] {
        map { $0["details"]["action"] }.filter { $0["outcome"].text == "done" }
            .map { "\($0["verb"].text) \($0["object"].text)" }.sorted()
    }
}
