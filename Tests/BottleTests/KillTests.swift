import FoundationEssentials
import SeededRandom
import Testing

/// What `bottle` is killed in the middle of, at any moment.
enum Scenario: String, Sendable, CustomTestStringConvertible, CaseIterable {
    case coldApply = "a cold apply"
    case routeChange = "a change of routes and hosts"
    case agentReplacement = "the replacement of an agent"
    case sidecarDrift = "the repair of sidecars"
    case delete = "a delete"

    var testDescription: String { rawValue }

    /// What it begins from, and what is to come of it.
    func samples(_ fixture: BottleFixture) -> (before: SampleBottle?, after: SampleBottle) {
        let whole = ApplyTests.whole(fixture)
        switch self {
        case .coldApply: return (nil, whole)
        case .sidecarDrift, .delete: return (whole, whole)
        case .agentReplacement: return (whole, whole.with { $0.agent.append("env: {MARK: two}") })
        case .routeChange:
            let changed = whole.with {
                $0.routes.append("{host: more.bt.test}")
                $0.routes[0].replace("/a/", with: "/b/")
            }
            return (whole, changed)
        }
    }

    /// The parts that are another life afterwards; nil: all of them.
    var touched: Set<String>? {
        switch self {
        case .coldApply, .delete: nil
        case .routeChange: []
        case .agentReplacement: ["agent"]
        case .sidecarDrift: ["firewall", "egress-proxy"]
        }
    }

    /// Kills it at each of `count` moments spread over its time, and expects the next command to end where it would
    /// have; tells how many it killed.
    func kill(_ count: Int, seed: UInt64) async throws -> Int {
        var random = SplitMix64(seed: seed)
        var span = try await BottleFixture.run { fixture in
            let line = try await begin(fixture)
            let run: ContinuousClock.Duration = try await ContinuousClock().measure {
                let done = try await fixture.bottle(line, environment: CrashTests.secrets)
                try #require(done.status == 0, "\(done)")
            }
            return run
        }
        var kills = 0
        for part in random.moments(count, in: .seconds(1)) {
            let moment = span * (part / .seconds(1))
            let when: Comment = "\(rawValue) killed after \(moment), seed \(seed)"
            try await BottleFixture.run { fixture in
                let line = try await begin(fixture)
                let before = try await fixture.snapshot()
                let begun = ContinuousClock.now
                let killed = try await fixture.bottle(line, environment: CrashTests.secrets, kill: ("KILL", moment))
                // The machine has less else to do than when its time was taken.
                if killed.status != 0 { kills += 1 } else { span = min(span, ContinuousClock.now - begun) }
                try await expectEnd(line, before, fixture, when)
            }
        }
        return kills
    }

    /// Brings about what it begins from; tells the command.
    private func begin(_ fixture: BottleFixture) async throws -> [String] {
        let (before, after) = samples(fixture)
        if let before { try await fixture.applied(before, environment: CrashTests.secrets) }
        let name = after.name
        switch self {
        case .delete: return ["delete", name, "--yes", "--ignore-not-found"]
        case .sidecarDrift:
            try await fixture.docker("rm", "-f", "bottle-\(name)-firewall")
            let line = "cd /etc/egress-proxy; chmod 600 ca.pem; echo >>ca.pem"
            try await fixture.docker("exec", "bottle-\(name)-egress-proxy", "sh", "-c", line)
        default: break
        }
        return ["apply", "-f", try fixture.write(after), "--yes"]
    }

    private func expectEnd(_ line: [String], _ before: EngineSnapshot, _ fixture: BottleFixture, _ when: Comment)
        async throws
    {
        if self == .delete {
            let again = try await fixture.bottle(line, environment: CrashTests.secrets)
            #expect(again.status == 0, when)
            #expect(try await fixture.snapshot() == EngineSnapshot(), when)
            return
        }
        let again = try await fixture.bottle(line, environment: CrashTests.secrets)
        #expect(again.status == 0, "\(when): \(again)")
        let file = line[2]
        let quiet = try await fixture.bottle(
            ["apply", "-f", file, "--yes", "-o", "json"],
            environment: CrashTests.secrets
        )
        #expect(try quiet.actions() == [], when)
        let after = try await fixture.snapshot()
        let name = try #require(file.split(separator: "/").last?.dropLast(".yaml".count))
        #expect(after.parts(of: String(name)) == ApplyTests.parts, when)
        #expect(after.containers.values.allSatisfy { $0.state == "running" }, when)
        guard let touched else { return }
        let changed = before.changed(in: after)
        #expect(changed.isSubset(of: touched.map { "bottle-\(name)-\($0)" }), when)
        #expect(after.networks == before.networks, when)
        #expect(after.volumes == before.volumes, when)
    }
}

@Suite("A command that is killed at any moment, and what it had to keep", .serialized, .needsEngine)
struct KillTests {
    /// `CrashTests` has the others.
    @Test("is finished by the next one", arguments: [Scenario.agentReplacement, .sidecarDrift])
    func kill(_ scenario: Scenario) async throws {
        print("seed of the moments: BOTTLE_TEST_SEED=\(SplitMix64.seed)")
        let kills = try await scenario.kill(4, seed: SplitMix64.seed)
        #expect(kills > 0)
    }
}

@Suite("Soak: a command that is killed at any moment", .serialized, .needsEngine, .enabled(if: isSoak))
struct KillSoakTests {
    @Test("is finished by the next one", arguments: Scenario.allCases)
    func kill(_ scenario: Scenario) async throws {
        print("seed of the moments: BOTTLE_TEST_SEED=\(SplitMix64.seed)")
        // The last moments can come too late to kill anything.
        let kills = try await scenario.kill(24, seed: SplitMix64.seed)
        print("\(scenario.rawValue): \(kills) kills")
        #expect(kills >= 20)
    }
}

/// Whether `make soak` runs the tests.
let isSoak = ProcessInfo.processInfo.environment["BOTTLE_SOAK_MINUTES"] != nil
