import FoundationEssentials
import Reconciler
import SeededRandom
import Testing

/// Edits of the desired state that are killed: each is there wholly or not at all.
@Suite(.needsEngine) struct EditKillTests {
    @Test(.timeLimit(.minutes(5))) func anEditKilledAtAnyMomentIsThereWhollyOrNotAtAll() async throws {
        try await Self.kill(times: 20)
    }

    /// Grants and revokes, killed at moments spread over how long they take.
    static func kill(times: Int) async throws {
        let seed = SplitMix64.seed
        print("seed of the moments: BOTTLE_TEST_SEED=\(seed)")
        var random = SplitMix64(seed: seed)
        try await BottleFixture.run { fixture in
            // No way out: an edit is a commit, its lines on record, and a pass that finds nothing to do.
            let sample = SampleBottle.alone(fixture.name())
            try await fixture.applied(sample)
            let name = sample.name
            let begun = ContinuousClock.now
            #expect(try await fixture.bottle("grant", name, "host", "first.bt.test").status == 0)
            let span = ContinuousClock.now - begun
            var known: Set<String> = ["first.bt.test"]
            var killed = 0
            for (turn, moment) in random.moments(times, in: span).shuffled(using: &random).enumerated() {
                let when: Comment = "turn \(turn), killed after \(moment), seed \(seed)"
                let isRevoke = turn % 3 == 2
                let host = isRevoke ? known.sorted().first ?? "first.bt.test" : "h\(turn).bt.test"
                let line = isRevoke ? ["revoke", name, "host", host] : ["grant", name, "host", host]
                let run = try await fixture.bottle(line, kill: ("KILL", moment))
                if run.status != 0 { killed += 1 }

                let list = try await fixture.bottle("remediations", name, "-o", "json")
                #expect(list.status == 0, when)
                let hosts = Set(try list.document()["items"].list.map(\.["host"].text))
                let done = isRevoke ? known.subtracting([host]) : known.union([host])
                #expect(hosts == known || hosts == done, when)
                if run.status == 0 { #expect(hosts == done, when) }
                known = hosts
                let repository = "\(fixture.state)/desired"
                let check = try await fixture.run(["git", "-C", repository, "fsck", "--strict", "--no-dangling"])
                #expect(check.status == 0, when)
                #expect(try await fixture.bottle("audit", "verify").status == 0, when)
            }
            #expect(killed > 0)
            // The next edit finds everything as it should be.
            #expect(try await fixture.bottle("grant", name, "host", "last.bt.test").status == 0)
            #expect(
                try await fixture.run(["git", "-C", "\(fixture.state)/desired", "status", "--porcelain"]).output == ""
            )
            #expect(try await fixture.bottle("audit", "verify").status == 0)
        }
    }
}
