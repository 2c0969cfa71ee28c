import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerPlatform
import Testing

/// A blocked agent asks, a person decides, the running bottle changes: on a real engine, from inside a real agent.
@Suite(.needsEngine) struct SuperviseTests {
    private static func sample(_ fixture: BottleFixture, _ internet: Internet) -> SampleBottle {
        var sample = SampleBottle(
            name: fixture.name(),
            egress: internet.egress,
            routes: ["{host: api.bt.test, methods: [GET], path_allowlist: [/repos/acme/]}"]
        )
        sample.supervise = true
        return sample
    }

    private static func status(of url: String, _ sample: SampleBottle, _ fixture: BottleFixture) async throws -> String
    {
        let agent = "bottle-\(sample.name)-agent"
        let curl = ["curl", "-s", "-o", "/dev/null", "--max-time", "20", "-w", "%{http_code}", url]
        return try await fixture.run(["docker", "exec", agent] + curl).output
    }

    @Test(.timeLimit(.minutes(5))) func whatAnAgentAsksForIsDecidedPutInForceAndAnswered() async throws {
        try await BottleFixture.run { fixture in
            let internet = try await Internet.start(in: fixture)
            let sample = Self.sample(fixture, internet)
            try await fixture.applied(sample)
            #expect(try await Self.status(of: "https://files.bt.test/a", sample, fixture) == "403")

            try await fixture.underController { _ in
                async let answered = fixture.asks(
                    "firewall-block",
                    #"{"hosts": "files.bt.test", "justification": "to read the files"}"#,
                    in: sample
                )
                let item = try await fixture.asked(by: sample)
                #expect(item["state"].text == "pending" && item["tool"].text == "firewall-block")
                #expect(item["authority"].list.contains { $0["subject"].text == "files.bt.test" })
                #expect(try await Self.status(of: "https://files.bt.test/a", sample, fixture) == "403")
                let id = item["id"].text
                let shown = try await fixture.bottle("proposals", "show", String(id.prefix(8)))
                #expect(shown.output.contains("to read the files") && shown.output.contains("files.bt.test"))
                let stale = try await fixture.bottle("approve", id, "--candidate", String(repeating: "0", count: 64))
                #expect(stale.status == 1)
                let candidate = item["candidateHash"].text
                let approved = try await fixture.bottle("approve", id, "--candidate", candidate, "--reason", "go on")
                #expect(approved.status == 0, "\(approved)")
                let told = try await answered
                #expect(told.output.contains(#""state":"applied""#) && told.output.contains("go on"), "\(told)")
                #expect(try await Self.status(of: "https://files.bt.test/a", sample, fixture) == "200")
                #expect(try await fixture.bottle("approve", id).status == 1)

                async let refused = fixture.asks(
                    "egress-proxy-block",
                    #"{"routes": "[{\"host\": \"api.bt.test\", \"methods\": [\"GET\", \"DELETE\"], \"path_allowlist\": [\"/\"]}]", "justification": "all of it"}"#,
                    in: sample
                )
                let second = try await fixture.asked(by: sample)["id"].text
                let rejected = try await fixture.bottle("reject", second, "--reason", "too much")
                #expect(rejected.status == 0, "\(rejected)")
                let no = try await refused
                #expect(no.output.contains(#""state":"rejected""#) && no.output.contains("too much"), "\(no)")
                #expect(try await Self.status(of: "https://api.bt.test/user", sample, fixture) == "403")
            }
            let audit = try await fixture.bottle("audit", sample.name, "-o", "json").output
            #expect(audit.contains("approval") && audit.contains("rejection"))
            #expect(try await fixture.bottle("diff", sample.name).status == 0)
        }
    }

    @Test(.timeLimit(.minutes(5))) func nothingThatDiesInBetweenLosesAProposalOrAppliesItTwice() async throws {
        try await BottleFixture.run { fixture in
            let internet = try await Internet.start(in: fixture)
            let sample = Self.sample(fixture, internet)
            try await fixture.applied(sample)
            let question = #"{"hosts": "files.bt.test", "justification": "to read the files"}"#
            // No controller at all: the sidecar keeps what is asked.
            async let cut = fixture.asks("firewall-block", question, in: sample)
            let first = try await fixture.asked(by: sample)["id"].text
            try await fixture.docker("kill", "-s", "KILL", "bottle-\(sample.name)-supervise")
            _ = try await cut
            let healed = try await fixture.bottle(["apply", "-f", try fixture.write(sample), "--yes"])
            #expect(healed.status == 0, "\(healed)")
            async let again = fixture.asks("firewall-block", question, in: sample)
            // Killed at some moment around the commit; the same approval again is made whole, or refused as made.
            let killed = try await fixture.bottle(["approve", first], kill: ("KILL", .milliseconds(120)))
            if killed.status != 0 {
                let repeated = try await fixture.bottle("approve", first)
                if repeated.status != 0 {
                    #expect(try await fixture.bottle("apply", "-f", try fixture.write(sample), "--yes").status == 0)
                }
            }
            let told = try await again
            #expect(told.output.contains(#""state":"applied""#), "\(told)")
            let remediations = try await fixture.bottle("remediations", sample.name, "-o", "json").document()["items"]
                .list
            #expect(remediations.map(\.["proposal"].text) == [first])
            #expect(try await Self.status(of: "https://files.bt.test/a", sample, fixture) == "200")
            // What is in force is refused at once, not asked again.
            let late = try await fixture.asks("firewall-block", question, in: sample)
            #expect(!late.output.isEmpty)
            #expect(try await fixture.proposals(of: sample).isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(5))) func anImageIsBuiltFirstAndAFailedBuildIsToldAndChangesNothing() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name()).with { $0.supervise = true }
            try await fixture.applied(sample)
            let agent = "bottle-\(sample.name)-agent"
            func question(_ step: String, from base: String = "bottle/agent") -> String {
                // More than a screen before what counts.
                let aside = String(repeating: #"# it is long\n"#, count: 800)
                let text = #"FROM \#(base)\n\#(aside)RUN \#(step)\n"#
                return #"{"dockerfile": "\#(text)", "justification": "a tool is missing"}"#
            }
            func ask(_ step: String) async throws -> String {
                let text = question(step)
                async let asked = fixture.asks("capability-block", text, in: sample)
                let id = try await fixture.asked(by: sample)["id"].text
                let shown = try await fixture.bottle("proposals", "show", id)
                #expect(shown.output.contains("\n  FROM bottle/agent\n") && shown.output.contains("\n+ RUN \(step)\n"))
                let approved = try await fixture.bottle("approve", id, "--yes", "--reason", "take it")
                let told = try await asked
                return "\(approved.status) \(approved.text) \(told.output)"
            }
            let before = try await fixture.docker("inspect", "-f", "{{.Id}}", agent)
            let failed = try await ask("echo so-it-ends; exit 3")
            #expect(failed.hasPrefix("1 ") && failed.contains("so-it-ends"), "\(failed)")
            #expect(failed.contains(#""state":"failed""#), "\(failed)")
            #expect(try await fixture.docker("inspect", "-f", "{{.Id}}", agent) == before)
            #expect(
                try await fixture.bottle("remediations", sample.name, "-o", "json").document()["items"].list.isEmpty
            )

            try await fixture.docker("exec", agent, "sh", "-c", "echo kept >$HOME/note")
            let made = try await ask("echo made >/var/tmp/made")
            #expect(made.hasPrefix("0 "), "\(made)")
            #expect(try await fixture.docker("exec", agent, "sh", "-c", "cat /var/tmp/made $HOME/note") == "made\nkept")
            let left = try await fixture.docker("exec", agent, "cat", "/etc/bottle/current-config/image.json")
            #expect(left.contains(#""source" : "proposal""#) && left.contains(#""words" : "take it""#), "\(left)")
            // The answer was heard; what is in force is known to be, as it was proposed and as it is shown.
            let shown = try await fixture.asks("show-dockerfile", "{}", in: sample)
            #expect(shown.output.contains(#"FROM bottle/agent\n# it is long"#), "\(shown)")
            let step = "echo made >/var/tmp/made"
            let again = try await fixture.asks("capability-block", question(step), in: sample)
            #expect(again.output.contains(#""state":"applied""#), "\(again)")
            let same = try await fixture.asks(
                "capability-block",
                question(step, from: "bottle/agent:latest"),
                in: sample
            )
            #expect(same.output.contains("already in force"), "\(same)")
            let answers = try await fixture.bottle("proposals", sample.name, "--all", "-o", "json").document()["items"]
                .list
            #expect(answers.map(\.["state"].text).sorted() == ["applied", "failed"])
        }
    }

    @Test(.timeLimit(.minutes(5))) func theAgentsOwnCommandKnowsTheServerAndReachesIt() async throws {
        try await BottleFixture.run { fixture in
            let cli = try await fixture.run(["\(BottleFixture.root)/scripts/claude-cli"])
            try #require(cli.status == 0, "\(cli)")
            let program = String(cli.output.trimmingSuffix(while: \.isNewline))
            let image = fixture.name()
            await fixture.onTearDown { try await fixture.engine.removeImage(image, force: true) }
            let text = "FROM bottle/agent\nCOPY claude /usr/local/bin/claude\n"
            try fixture.write(text, to: "Dockerfile.claude")
            let built = try await fixture.run([
                "env", "DOCKER_BUILDKIT=0", "docker", "build", "-q", "-t", image, "-f",
                "\(fixture.folder)/Dockerfile.claude", POSIX.parent(of: program),
            ])
            try #require(built.status == 0, "\(built)")
            var sample = SampleBottle.alone(fixture.name())
            sample.supervise = true
            sample.image = image
            let applied = try await fixture.applied(sample)
            #expect(!applied.errors.contains("was not told"), "\(applied)")
            let agent = "bottle-\(sample.name)-agent"
            let listed = try await fixture.run(["docker", "exec", agent, "claude", "mcp", "list"])
            #expect(listed.output.contains("supervise") && listed.output.contains("Connected"), "\(listed)")
            // Recreated, it still knows it, and is told once.
            try await fixture.docker("rm", "-f", agent)
            let healed = try await fixture.bottle(["apply", "-f", try fixture.write(sample), "--yes"])
            #expect(healed.status == 0 && !healed.errors.contains("!"), "\(healed)")
        }
    }
}
