import ReconcilerEngine
import Testing

@Suite("delete", .serialized, .needsEngine)
struct DeleteTests {
    @Test("takes one bottle's objects, and nothing that merely looks like them")
    func exactly() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            let other = SampleBottle.alone("\(sample.name)-2")
            try await fixture.applied(sample)
            try await fixture.applied(other)
            let installation = try #require(try fixture.installation())
            let prefix = "bottle-\(sample.name)"
            // Names like ours without labels, and our very labels under a name that we never made.
            let ours = [
                "dev.bottle.managed-by=bottle", "dev.bottle.installation=\(installation)",
                "dev.bottle.identity=\(sample.name)", "dev.bottle.role=agent",
            ].flatMap { ["--label", $0] }
            let bystanders = [
                ["create", "--name", "\(prefix)-git-gate", "bottle/agent"],
                ["create", "--name", "\(prefix)-forged"] + ours + ["bottle/agent"],
                ["volume", "create", "\(prefix)-notes"],
                ["volume", "create", "\(prefix)-forged"] + ours,
                ["network", "create", "--subnet", "10.199.254.240/28", "\(prefix)-other"],
            ]
            for line in bystanders {
                let made = try await fixture.run(["docker"] + line)
                try #require(made.status == 0, "\(made)")
            }
            let remove = """
                docker rm -f \(prefix)-git-gate \(prefix)-forged
                docker volume rm \(prefix)-notes \(prefix)-forged; docker network rm \(prefix)-other
                """
            await fixture.onTearDown { _ = try await fixture.run(["sh", "-c", remove]) }

            #expect(try await fixture.bottle("delete", sample.name, "--yes").status == 0)
            let snapshot = try await fixture.snapshot()
            let theirs = ["agent", "home", "internal"].map { "bottle-\(other.name)-\($0)" }
            #expect(snapshot.parts(of: "") == (theirs + ["\(prefix)-forged", "\(prefix)-forged"]).sorted())
            let left = """
                docker inspect \(prefix)-git-gate \(prefix)-forged
                docker volume inspect \(prefix)-notes \(prefix)-forged; docker network inspect \(prefix)-other
                """
            let found = try await fixture.run(["sh", "-ec", left])
            #expect(found.status == 0, "\(found)")
            #expect(try await fixture.apply(other).actions() == [])
        }
    }

    @Test("of a name that can't be one, or of no name, is refused", arguments: ["../x", "Ab", ""])
    func badName(_ name: String) async throws {
        try await BottleFixture.run { fixture in
            let run = try await fixture.bottle("delete", name, "--yes", "-o", "json")
            #expect(run.status == 1)
            #expect(try run.document()["kind"].text == "Error")
            #expect(!exists(fixture.state))
        }
    }
}
