import SeededRandom
import Testing

@Suite("A command that is killed at any moment", .serialized, .needsEngine)
struct CrashTests {
    static let secrets = ["BT_TOKEN": "t0ken"]

    @Test("leaves nothing that the next apply doesn't make whole: cold apply", arguments: Shape.all)
    func coldApply(_ shape: Shape) async throws {
        print("seed of the moments: BOTTLE_TEST_SEED=\(SplitMix64.seed)")
        var random = SplitMix64(seed: SplitMix64.seed)
        let span = try await BottleFixture.run { fixture in
            try await ContinuousClock().measure {
                try await fixture.applied(shape.sample(fixture), environment: Self.secrets)
            }
        }
        var killed = 0
        for moment in random.moments(shape.count, in: span) {
            try await BottleFixture.run { fixture in
                let sample = shape.sample(fixture)
                let line = ["apply", "-f", try fixture.write(sample), "--yes"]
                let run = try await fixture.bottle(line, environment: Self.secrets, kill: ("KILL", moment))
                if run.status != 0 { killed += 1 }
                try await expectWhole(sample, shape.parts, fixture, "killed after \(moment), seed \(SplitMix64.seed)")
            }
        }
        #expect(killed > 0)
    }

    struct Shape: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let count: Int
        let parts: [String]
        let sample: @Sendable (BottleFixture) -> SampleBottle

        static let all = [
            Shape(testDescription: "with everything", count: 6, parts: ApplyTests.parts, sample: ApplyTests.whole),
            Shape(testDescription: "an agent alone", count: 4, parts: ["agent", "home", "internal"]) {
                .alone($0.name())
            },
        ]
    }

    /// Applies again and expects exactly the bottle's parts, each once, and nothing left to do.
    func expectWhole(_ sample: SampleBottle, _ parts: [String], _ fixture: BottleFixture, _ when: Comment) async throws
    {
        let next = try await fixture.apply(sample, environment: Self.secrets)
        #expect(next.status == 0, "\(when): \(next)")
        let again = try await fixture.apply(sample, environment: Self.secrets)
        #expect(try again.actions() == [], when)
        let snapshot = try await fixture.snapshot()
        #expect(snapshot.parts(of: sample.name) == parts, when)
        #expect(snapshot.containers.values.allSatisfy { $0.state == "running" }, when)
        let commits = try await fixture.run(["git", "-C", "\(fixture.state)/desired", "fsck", "--strict"])
        #expect(commits.status == 0, "\(when): \(commits)")
    }

    @Test("leaves nothing that the next apply doesn't make whole: a change of routes and hosts")
    func change() async throws {
        var random = SplitMix64(seed: SplitMix64.seed &+ 1)
        let seed = SplitMix64.seed
        try await BottleFixture.run { fixture in
            let sample = ApplyTests.whole(fixture)
            try await fixture.applied(sample, environment: Self.secrets)
            let ids = try await fixture.snapshot().containers.mapValues(\.id)
            let other = sample.with {
                $0.routes.append("{host: more.bt.test}")
                $0.routes[0].replace("/a/", with: "/b/")
            }
            let span = try await ContinuousClock().measure {
                try await fixture.applied(other, environment: Self.secrets)
            }
            var wanted = sample
            for moment in random.moments(8, in: span) {
                let line = ["apply", "-f", try fixture.write(wanted), "--yes"]
                _ = try await fixture.bottle(line, environment: Self.secrets, kill: ("KILL", moment))
                try await expectWhole(wanted, ApplyTests.parts, fixture, "killed after \(moment), seed \(seed)")
                #expect(try await fixture.snapshot().containers.mapValues(\.id) == ids)
                wanted = wanted.routes.count == 1 ? other : sample
            }
        }
    }

    @Test("leaves nothing that deleting again doesn't remove: delete")
    func delete() async throws {
        var random = SplitMix64(seed: SplitMix64.seed &+ 2)
        let seed = SplitMix64.seed
        try await BottleFixture.run { fixture in
            for moment in random.moments(3, in: .milliseconds(900)) {
                let sample = ApplyTests.whole(fixture)
                try await fixture.applied(sample, environment: Self.secrets)
                let line = ["delete", sample.name, "--yes"]
                let run = try await fixture.bottle(line, kill: ("KILL", moment))
                let again = try await fixture.bottle(line)
                #expect(again.status == (run.status == 0 ? 1 : 0), "killed after \(moment), seed \(seed): \(again)")
                #expect(try await fixture.snapshot() == EngineSnapshot(), "killed after \(moment), seed \(seed)")
            }
        }
    }

    @Test("by Ctrl-C exits 130, and the next apply goes on")
    func interrupt() async throws {
        try await BottleFixture.run { fixture in
            let sample = ApplyTests.whole(fixture)
            let line = ["apply", "-f", try fixture.write(sample), "--yes"]
            let run = try await fixture.bottle(line, environment: Self.secrets, kill: ("INT", .milliseconds(400)))
            #expect(run.status == 130)
            #expect(run.errors.contains("interrupted"))
            try await expectWhole(sample, ApplyTests.parts, fixture, "after Ctrl-C")
        }
    }
}
