import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import Testing

/// A process may be killed at any call that changes something, and a new one must end where the first would have.
@Suite("Crashes at every call")
struct CrashSweepTests {
    /// Something that a process sets out to do.
    struct Scenario: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// The world in which it begins.
        let before: @Sendable () async throws -> LoopFixture
        /// Does it; done again by the process that comes after a killed one.
        let act: @Sendable (LoopFixture, any EngineWriting) async throws -> Void

        init(
            _ name: String,
            before: @escaping @Sendable () async throws -> LoopFixture,
            act: @escaping @Sendable (LoopFixture, any EngineWriting) async throws -> Void = { fixture, engine in
                let result = try await fixture.run(on: engine)
                guard case .converged = result.outcome else { throw LoopFixture.NotConverged(result: result) }
            }
        ) {
            testDescription = name
            self.before = before
            self.act = act
        }
    }

    static func edit(_ edit: @escaping @Sendable (inout BottleManifest) -> Void)
        -> @Sendable () async throws -> LoopFixture
    {
        {
            let fixture = try await LoopFixture.converged()
            try await fixture.commit(SampleManifest.edited(edit))
            return fixture
        }
    }

    static func damage(
        _ damage: @escaping @Sendable (inout EngineState) throws -> Void
    ) -> @Sendable () async throws -> LoopFixture {
        {
            let fixture = try await LoopFixture.converged()
            try await fixture.engine.change(damage)
            return fixture
        }
    }

    static let scenarios: [Scenario] = [
        Scenario("cold apply, images and all") {
            let fixture = try await LoopFixture.fresh()
            try await fixture.commit(SampleManifest.routed)
            return fixture
        },
        Scenario(
            "a route's paths change",
            before: edit { $0.routes[0].pathAllowlist = ["/repos/acme/", "/gists/"] }
        ),
        Scenario(
            "a host comes in",
            before: edit { $0.routes.append(Route(host: SampleManifest.host("new.example.com"))) }
        ),
        Scenario("a host goes", before: edit { $0.routes.removeLast() }),
        Scenario("the agent is replaced", before: edit { $0.agent.environment["TZ"] = .literal("CET") }),
        Scenario("the last routes go, and the egress-proxy with them", before: edit { $0.routes = [] }),
        Scenario("a firewall was removed", before: damage { try $0.remove("bottle-dev-firewall", force: true) }),
        Scenario(
            "an egress-proxy was stopped and its file edited",
            before: damage { world in
                _ = try world.exec(
                    "bottle-dev-egress-proxy",
                    ShellLine.write("{}", to: "/etc/egress-proxy/routes.yaml")
                )
                try world.stop("bottle-dev-egress-proxy", timeout: 1)
            }
        ),
        Scenario(
            "a sidecar's key was edited",
            before: damage { world in
                _ = try world.exec("bottle-dev-egress-proxy", ShellLine.write("X", to: "/etc/egress-proxy/ca.pem"))
            }
        ),
        Scenario(
            "the link network and all that was on it are gone",
            before: damage { world in
                for name in ["egress-proxy", "firewall"] { try world.remove("bottle-dev-\(name)", force: true) }
                try world.removeNetwork("bottle-dev-link")
            }
        ),
        Scenario(
            "everything stopped, as after a reboot",
            before: damage { world in
                for name in ["agent", "egress-proxy", "firewall"] { try world.stop("bottle-dev-\(name)", timeout: 0) }
            }
        ),
        Scenario("delete", before: { try await LoopFixture.converged() }) { fixture, engine in
            let performed = try await fixture.pass(on: engine).delete(reason: "delete")
            guard performed.allSatisfy({ $0.outcome == .done }) else { throw NotDeleted() }
        },
    ]

    struct NotDeleted: Error {}

    @Test("a process killed at any call is followed by one that ends where it would have", arguments: scenarios)
    func sweep(_ scenario: Scenario) async throws {
        let before = try await scenario.before()
        let clean = try await before.fork()
        let faults = FaultInjector()
        try await scenario.act(clean, FaultyEngine(clean.engine, faults: faults))
        let calls = await faults.mutations
        #expect(!calls.isEmpty)
        let end = await clean.engine.world
        let expected = (WorldText.lines(end), WorldText.effects(end), try await clean.record())
        #expect(await clean.engine.violations.isEmpty)

        var seen: [EngineCall: Int] = [:]
        for call in calls {
            let occurrence = seen[call, default: 0]
            seen[call] = occurrence + 1
            for moment in FaultInjector.Moment.allCases where moment != .during || call.name == "putArchive" {
                let place: Comment = "killed \(moment.rawValue) \(call), time \(occurrence)"
                let first = try await before.fork()
                let faults = FaultInjector()
                await faults.crash(at: call, occurrence: occurrence, moment) { first.keepState(as: "crashed") }
                await #expect(throws: (any Error).self, place) {
                    try await scenario.act(first, FaultyEngine(first.engine, faults: faults))
                }
                guard await faults.hasCrashed else {
                    Issue.record("the call never came: \(place)")
                    continue
                }
                let second = try await first.fork(state: "\(first.folder)/crashed")
                await #expect(throws: Never.self, place) { try await scenario.act(second, second.engine) }
                let world = await second.engine.world
                #expect(WorldText.lines(world) == expected.0, place)
                #expect(WorldText.effects(world) == expected.1, place)
                let record = try await second.record()
                #expect(record?.names == expected.2?.names, place)
                #expect(record?.converged == expected.2?.converged, place)
                #expect(record?.ids.keys.sorted() == expected.2?.ids.keys.sorted(), place)
                let violations = await first.engine.violations + second.engine.violations
                #expect(violations.isEmpty, place)
            }
        }
    }

    @Test(
        "a call that fails or whose answer is lost is made good by the same pass or the next",
        arguments: scenarios
    )
    func hiccup(_ scenario: Scenario) async throws {
        let before = try await scenario.before()
        let clean = try await before.fork()
        let faults = FaultInjector()
        try await scenario.act(clean, FaultyEngine(clean.engine, faults: faults))
        let end = await clean.engine.world
        let refusal = EngineError.http(.init(status: 500, method: "", path: "", message: "a hiccup"))
        for call in Set(await faults.mutations) {
            for (name, fault) in [("its answer lost", FaultInjector.Fault.loseReply), ("refused", .refuse(refusal))] {
                let place: Comment = "\(call), \(name)"
                let fixture = try await before.fork()
                let faults = FaultInjector()
                await faults.add(fault) { $0 == call }
                do {
                    try await scenario.act(fixture, FaultyEngine(fixture.engine, faults: faults))
                } catch {
                    await #expect(throws: Never.self, place) { try await scenario.act(fixture, fixture.engine) }
                }
                let world = await fixture.engine.world
                #expect(WorldText.lines(world) == WorldText.lines(end), place)
                #expect(WorldText.effects(world) == WorldText.effects(end), place)
                #expect(await fixture.engine.violations.isEmpty, place)
            }
        }
    }

    @Test("a network that a killed process had asked for, and that comes late, is removed by the very pass it disturbs")
    func lateTwin() async throws {
        let fixture = try await LoopFixture.fresh()
        try await fixture.commit(SampleManifest.routed)
        let faults = FaultInjector()
        let engine = fixture.engine
        let ambiguous = EngineError.http(
            .init(status: 400, method: "", path: "", message: "network bottle-dev-egress is ambiguous")
        )
        await faults.add(
            .meet(
                {
                    try await engine.change { world in
                        let made = try #require(
                            world.networks.values.map(\.summary).first { $0.name == "bottle-dev-egress" }
                        )
                        _ = try world.createNetwork(
                            NetworkCreate(
                                name: made.name,
                                checkDuplicate: false,
                                isInternal: made.isInternal,
                                ipam: IPAM(pools: [.init(subnet: "10.99.99.0/28")]),
                                options: made.options,
                                labels: made.labels
                            )
                        )
                    }
                },
                ambiguous
            )
        ) { $0.name == "start" && $0.target.hasSuffix("firewall") }
        let result = try await fixture.run(on: FaultyEngine(engine, faults: faults))
        guard case .converged = result.outcome else {
            Issue.record("the pass ended as \(result.outcome)")
            return
        }
        let networks = await engine.world.networks.values.map(\.summary.name).filter { $0.hasPrefix("bottle-dev-") }
        #expect(Set(networks).count == networks.count)
    }
}
