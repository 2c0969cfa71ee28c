import Testing

@Suite("An agent", .serialized, .needsEngine)
struct AgentLifeTests {
    @Test("that lives is not replaced because its image's name moved; one that is removed comes from the new image")
    func imageMoved() async throws {
        try await BottleFixture.run { fixture in
            let image = try await fixture.image("FROM bottle/agent\nLABEL mark=one\n")
            let sample = SampleBottle.alone(fixture.name()).with { $0.image = image }
            try await fixture.applied(sample)
            let before = try await fixture.snapshot()
            _ = try await fixture.image("FROM bottle/agent\nLABEL mark=two\n", as: image)

            #expect(try await fixture.applied(sample).actions() == [])
            #expect(try await fixture.snapshot() == before)
            let item = try await fixture.bottle("get", "-o", "json").document()["items"][0]
            #expect(item.condition("ReplacementPending") == "True")
            #expect(item.condition("Ready") == "True")

            let agent = "bottle-\(sample.name)-agent"
            try await fixture.docker("rm", "-f", agent)
            #expect(try await fixture.applied(sample).actions() == ["create container/agent"])
            let mark = try await fixture.docker("inspect", "-f", "{{.Config.Labels.mark}}", agent)
            #expect(mark == "two")
            let after = try await fixture.bottle("get", "-o", "json").document()["items"][0]
            #expect(after.condition("ReplacementPending") == "False")
        }
    }

    @Test("whose CA is gone shows in a diff and gets it back, also in a bottle without any secret")
    func authorityGone() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle(name: fixture.name()).with { $0.routes = ["{host: a.example.com}"] }
            try await fixture.applied(sample)
            #expect(try await fixture.bottle("diff", sample.name).status == 0)
            try await fixture.docker("exec", "-u", "0", "bottle-\(sample.name)-agent", "rm", "/etc/bottle/ca.pem")
            let diff = try await fixture.bottle("diff", sample.name, "-o", "json")
            #expect(diff.status == 2)
            #expect(try diff.actions() == ["copy container/agent"])
            #expect(try await fixture.applied(sample).actions() == ["copy container/agent"])
            #expect(try await fixture.bottle("diff", sample.name).status == 0)
        }
    }

    /// How an agent ends, and what an apply makes of it.
    struct End: Sendable, CustomTestStringConvertible {
        let status: Int
        let restart: String
        let actions: [String]
        let completed: String
        let failed: String

        var testDescription: String { "\(status), restart \(restart)" }

        static let all = [
            End(status: 0, restart: "never", actions: [], completed: "True", failed: "False"),
            End(status: 3, restart: "never", actions: [], completed: "False", failed: "True"),
            End(status: 0, restart: "on-failure", actions: [], completed: "True", failed: "False"),
            End(
                status: 3,
                restart: "on-failure",
                actions: ["start container/agent"],
                completed: "False",
                failed: "False"
            ),
            End(status: 0, restart: "always", actions: ["start container/agent"], completed: "False", failed: "False"),
        ]
    }

    @Test("that ended is started again only where its restart policy says so", arguments: End.all)
    func ended(_ end: End) async throws {
        try await BottleFixture.run { fixture in
            // Ends once it is told to, and only the first time.
            let program =
                "until [ -e ~/end ]; do [ -e ~/again ] && sleep infinity; sleep 0.1; done; "
                + "mv ~/end ~/again; exit \(end.status)"
            let sample = SampleBottle.alone(fixture.name()).with {
                $0.agent = ["command: [sh, -c, '\(program)']", "restart: \(end.restart)"]
            }
            let agent = "bottle-\(sample.name)-agent"
            try await fixture.applied(sample)
            try await fixture.docker("exec", agent, "sh", "-c", "touch ~/end")
            try await fixture.docker("wait", agent)

            #expect(try await fixture.applied(sample).actions() == end.actions)
            let item = try await fixture.bottle("get", "-o", "json").document()["items"][0]
            #expect(item.condition("Completed") == end.completed)
            #expect(item.condition("Failed") == end.failed)
            guard end.actions.isEmpty else { return }
            // What has done its work stays done, also when its container goes.
            try await fixture.docker("rm", agent)
            let after = try await fixture.applied(sample)
            #expect(try after.actions() == [])
        }
    }
}
