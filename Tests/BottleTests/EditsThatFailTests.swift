import Testing

@Suite("An edit that can't be brought about whole", .serialized, .needsEngine)
struct EditsThatFailTests {
    private static let unpullable = "localhost:1/nosuch:1"

    @Test("withdraws a host all the same, leaves the living agent, and is no success")
    func withdrawsFirst() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle(name: fixture.name()).with { $0.allowlist = ["a.example.com", "b.example.com"] }
            try await fixture.applied(sample)
            let agent = try await fixture.docker("inspect", "-f", "{{.Id}}", "bottle-\(sample.name)-agent")

            let edited = sample.with {
                $0.allowlist = ["a.example.com"]
                $0.image = Self.unpullable
            }
            let run = try await fixture.apply(edited)
            #expect(run.status == 1)
            let list = try await fixture.docker(
                "exec",
                "bottle-\(sample.name)-firewall",
                "cat",
                "/etc/firewall/allowlist"
            )
            #expect(list == "a.example.com 443")
            let after = try await fixture.docker(
                "inspect",
                "-f",
                "{{.Id}} {{.State.Running}}",
                "bottle-\(sample.name)-agent"
            )
            #expect(after == "\(agent) true")
            let item = try await fixture.bottle("get", "-o", "json").document()["items"][0]
            #expect(item.condition("Ready") == "False")
            #expect(item["observedRevision"].text != item["desiredRevision"].text)
        }
    }

    @Test("shuts a way out that is desired no more, and is no success")
    func closesRoutes() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle(name: fixture.name()).with { $0.routes = ["{host: a.example.com}"] }
            try await fixture.applied(sample)
            let edited = sample.with {
                $0.routes = []
                $0.image = Self.unpullable
            }
            let run = try await fixture.apply(edited)
            #expect(run.status == 1)
            #expect(try run.actions().contains("pull container/agent") == false)
            #expect(try run.actions().contains("pull image/agent"))
            let left = try await fixture.docker(
                "ps",
                "-q",
                "--filter",
                "name=^/bottle-\(sample.name)-egress-proxy$"
            )
            #expect(left == "")
            let item = try await fixture.bottle("get", "-o", "json").document()["items"][0]
            #expect(item.condition("Ready") == "False")
            #expect(try await fixture.bottle("diff", sample.name).status == 2)
        }
    }

    @Test("ends no living agent unasked, also when its new image must be made first")
    func asksBeforeBuilding() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            try await fixture.applied(sample)
            let agent = try await fixture.docker("inspect", "-f", "{{.Id}}", "bottle-\(sample.name)-agent")
            let head = try fixture.desiredHead()

            let edited = sample.with { $0.image = Self.unpullable }
            let run = try await fixture.bottle(["apply", "-f", try fixture.write(edited), "-o", "json"])
            #expect(run.status == 1)
            #expect(try run.document()["code"].text == "needs-yes")
            #expect(try fixture.desiredHead() == head)
            let after = try await fixture.docker("inspect", "-f", "{{.Id}}", "bottle-\(sample.name)-agent")
            #expect(after == agent)
        }
    }
}
