import FoundationEssentials
import SeededRandom
import Testing

/// What `bottle` is killed in the middle of, at any moment.
enum Undertaking: String, Sendable, CustomTestStringConvertible, CaseIterable {
    case coldApply = "a cold apply"
    case routeChange = "a change of routes and hosts"
    case agentReplacement = "the replacement of an agent"
    case sidecarDrift = "the repair of sidecars"
    case delete = "a delete"

    var testDescription: String { rawValue }

    /// What it begins from, and what is to come of it.
    func samples(_ scene: Scene) -> (before: Sample?, after: Sample) {
        let whole = ApplyTests.whole(scene)
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
        var span = try await Scene.run { scene in
            let line = try await begin(scene)
            let run: ContinuousClock.Duration = try await ContinuousClock().measure {
                let done = try await scene.bottle(line, environment: CrashTests.secrets)
                try #require(done.status == 0, "\(done)")
            }
            return run
        }
        var kills = 0
        for part in random.moments(count, in: .seconds(1)) {
            let moment = span * (part / .seconds(1))
            let when: Comment = "\(rawValue) killed after \(moment), seed \(seed)"
            try await Scene.run { scene in
                let line = try await begin(scene)
                let before = try await scene.world()
                let begun = ContinuousClock.now
                let killed = try await scene.bottle(line, environment: CrashTests.secrets, kill: ("KILL", moment))
                // The machine has less else to do than when its time was taken.
                if killed.status != 0 { kills += 1 } else { span = min(span, ContinuousClock.now - begun) }
                try await expectEnd(line, before, scene, when)
            }
        }
        return kills
    }

    /// Brings about what it begins from; tells the command.
    private func begin(_ scene: Scene) async throws -> [String] {
        let (before, after) = samples(scene)
        if let before { try await scene.applied(before, environment: CrashTests.secrets) }
        let name = after.name
        switch self {
        case .delete: return ["delete", name, "--yes", "--ignore-not-found"]
        case .sidecarDrift:
            try await scene.docker("rm", "-f", "bottle-\(name)-firewall")
            let line = "cd /etc/egress-proxy; chmod 600 ca.pem; echo >>ca.pem"
            try await scene.docker("exec", "bottle-\(name)-egress-proxy", "sh", "-c", line)
        default: break
        }
        return ["apply", "-f", try scene.write(after), "--yes"]
    }

    private func expectEnd(_ line: [String], _ before: World, _ scene: Scene, _ when: Comment) async throws {
        if self == .delete {
            let again = try await scene.bottle(line, environment: CrashTests.secrets)
            #expect(again.status == 0, when)
            #expect(try await scene.world() == World(), when)
            return
        }
        let again = try await scene.bottle(line, environment: CrashTests.secrets)
        #expect(again.status == 0, "\(when): \(again)")
        let file = line[2]
        let quiet = try await scene.bottle(
            ["apply", "-f", file, "--yes", "-o", "json"],
            environment: CrashTests.secrets
        )
        #expect(try quiet.actions() == [], when)
        let after = try await scene.world()
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
    @Test("is finished by the next one", arguments: [Undertaking.agentReplacement, .sidecarDrift])
    func kill(_ undertaking: Undertaking) async throws {
        print("seed of the moments: BOTTLE_TEST_SEED=\(SplitMix64.seed)")
        let kills = try await undertaking.kill(4, seed: SplitMix64.seed)
        #expect(kills > 0)
    }
}

@Suite("Soak: a command that is killed at any moment", .serialized, .needsEngine, .enabled(if: isSoak))
struct KillSoakTests {
    @Test("is finished by the next one", arguments: Undertaking.allCases)
    func kill(_ undertaking: Undertaking) async throws {
        print("seed of the moments: BOTTLE_TEST_SEED=\(SplitMix64.seed)")
        // The last moments can come too late to kill anything.
        let kills = try await undertaking.kill(24, seed: SplitMix64.seed)
        print("\(undertaking.rawValue): \(kills) kills")
        #expect(kills >= 20)
    }
}

/// Whether `make soak` runs the tests.
let isSoak = ProcessInfo.processInfo.environment["BOTTLE_SOAK_MINUTES"] != nil
