import FoundationEssentials
import SeededRandom
import Testing

/// How long `make soak` lets its tests run; nil elsewhere.
private enum Soak {
    static let minutes = ProcessInfo.processInfo.environment["BOTTLE_SOAK_MINUTES"].flatMap(Double.init)
}

/// Long random runs for `make soak`, which sets how many minutes they may take; `make test` leaves them out.
@Suite("Soak: killed again and again", .serialized, .needsEngine, .enabled(if: Soak.minutes != nil))
struct SoakTests {
    @Test("one bottle is applied, changed and deleted, each killed at any moment, and is always made whole again")
    func kills() async throws {
        let seed = SplitMix64.seed
        print("seed of the moments: BOTTLE_TEST_SEED=\(seed)")
        var random = SplitMix64(seed: seed)
        let end = ContinuousClock.now.advanced(by: .seconds(60 * (Soak.minutes ?? 0)))
        var kills = 0
        while ContinuousClock.now < end {
            let moments = (0..<8).map { _ in random.moments(1, in: .seconds(4))[0] }
            try await BottleFixture.run { fixture in
                let sample = ApplyTests.whole(fixture)
                let other = sample.with { $0.routes.append("{host: more.bt.test}") }
                for (turn, moment) in moments.dropLast().enumerated() {
                    let wanted = turn.isMultiple(of: 2) ? sample : other
                    let line = ["apply", "-f", try fixture.write(wanted), "--yes"]
                    let run = try await fixture.bottle(line, environment: CrashTests.secrets, kill: ("KILL", moment))
                    if run.status != 0 { kills += 1 }
                    guard turn.isMultiple(of: 3) else { continue }
                    let when: Comment = "turn \(turn), killed after \(moment), seed \(seed)"
                    try await CrashTests().expectWhole(wanted, ApplyTests.parts, fixture, when)
                }
                let line = ["delete", sample.name, "--yes", "--ignore-not-found"]
                _ = try await fixture.bottle(line, kill: ("KILL", moments[7]))
                #expect(try await fixture.bottle(line).status == 0)
                #expect(
                    try await fixture.snapshot() == EngineSnapshot(),
                    "deleted, killed after \(moments[7]), seed \(seed)"
                )
            }
        }
        print("\(kills) kills")
        #expect(kills > 0)
    }

    @Test("edits are killed two hundred times, and each is there wholly or not at all")
    func edits() async throws { try await EditKillTests.kill(times: 200) }

    @Test("a controller whose engine is away for minutes heals its bottle soon after")
    func engineAway() async throws { try await RunTests.outlivesEngine(goneFor: .seconds(200)) }
}
