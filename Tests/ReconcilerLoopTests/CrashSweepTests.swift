import EngineTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import Testing

/// A process may be killed at any call that changes something, and a new one must end where the first would have.
@Suite("Crashes at every call")
struct CrashSweepTests {
    /// Something that a process sets out to do.
    struct Undertaking: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// The world in which it begins.
        let before: @Sendable () async throws -> LoopBed
        /// Does it; done again by the process that comes after a killed one.
        let act: @Sendable (LoopBed, any EngineWriting) async throws -> Void

        init(
            _ name: String,
            before: @escaping @Sendable () async throws -> LoopBed,
            act: @escaping @Sendable (LoopBed, any EngineWriting) async throws -> Void = { bed, engine in
                let result = try await bed.run(on: engine)
                guard case .converged = result.outcome else { throw LoopBed.NotConverged(result: result) }
            }
        ) {
            testDescription = name
            self.before = before
            self.act = act
        }
    }

    static func edit(_ edit: @escaping @Sendable (inout BottleManifest) -> Void) -> @Sendable () async throws -> LoopBed
    {
        {
            let bed = try await LoopBed.converged()
            try await bed.commit(Sample.edited(edit))
            return bed
        }
    }

    static func damage(
        _ damage: @escaping @Sendable (inout EngineState) throws -> Void
    ) -> @Sendable () async throws -> LoopBed {
        {
            let bed = try await LoopBed.converged()
            try await bed.engine.change(damage)
            return bed
        }
    }

    static let undertakings: [Undertaking] = [
        Undertaking("cold apply, images and all") {
            let bed = try await LoopBed.fresh()
            try await bed.commit(Sample.manifest)
            return bed
        },
        Undertaking(
            "a route's paths change",
            before: edit { $0.routes[0].pathAllowlist = ["/repos/acme/", "/gists/"] }
        ),
        Undertaking("a host comes in", before: edit { $0.routes.append(Route(host: Sample.host("new.example.com"))) }),
        Undertaking("a host goes", before: edit { $0.routes.removeLast() }),
        Undertaking("the agent is replaced", before: edit { $0.agent.environment["TZ"] = .literal("CET") }),
        Undertaking("the last routes go, and the egress-proxy with them", before: edit { $0.routes = [] }),
        Undertaking("a firewall was removed", before: damage { try $0.remove("bottle-dev-firewall", force: true) }),
        Undertaking(
            "an egress-proxy was stopped and its file edited",
            before: damage { world in
                _ = try world.exec(
                    "bottle-dev-egress-proxy",
                    ShellLine.write("{}", to: "/etc/egress-proxy/routes.yaml")
                )
                try world.stop("bottle-dev-egress-proxy", timeout: 1)
            }
        ),
        Undertaking(
            "a sidecar's key was edited",
            before: damage { world in
                _ = try world.exec("bottle-dev-egress-proxy", ShellLine.write("X", to: "/etc/egress-proxy/ca.pem"))
            }
        ),
        Undertaking(
            "the link network and all that was on it are gone",
            before: damage { world in
                for name in ["egress-proxy", "firewall"] { try world.remove("bottle-dev-\(name)", force: true) }
                try world.removeNetwork("bottle-dev-link")
            }
        ),
        Undertaking(
            "everything stopped, as after a reboot",
            before: damage { world in
                for name in ["agent", "egress-proxy", "firewall"] { try world.stop("bottle-dev-\(name)", timeout: 0) }
            }
        ),
        Undertaking("delete", before: { try await LoopBed.converged() }) { bed, engine in
            let performed = try await bed.pass(on: engine).delete(reason: "delete")
            guard performed.allSatisfy({ $0.outcome == .done }) else { throw NotDeleted() }
        },
    ]

    struct NotDeleted: Error {}

    @Test("a process killed at any call is followed by one that ends where it would have", arguments: undertakings)
    func sweep(_ undertaking: Undertaking) async throws {
        let before = try await undertaking.before()
        let clean = try await before.fork()
        let faults = FaultInjector()
        try await undertaking.act(clean, FaultyEngine(clean.engine, faults: faults))
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
                    try await undertaking.act(first, FaultyEngine(first.engine, faults: faults))
                }
                guard await faults.hasCrashed else {
                    Issue.record("the call never came: \(place)")
                    continue
                }
                let second = try await first.fork(state: "\(first.folder)/crashed")
                await #expect(throws: Never.self, place) { try await undertaking.act(second, second.engine) }
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
        arguments: undertakings
    )
    func hiccup(_ undertaking: Undertaking) async throws {
        let before = try await undertaking.before()
        let clean = try await before.fork()
        let faults = FaultInjector()
        try await undertaking.act(clean, FaultyEngine(clean.engine, faults: faults))
        let end = await clean.engine.world
        let refusal = EngineError.http(.init(status: 500, method: "", path: "", message: "a hiccup"))
        for call in Set(await faults.mutations) {
            for (name, fault) in [("its answer lost", FaultInjector.Fault.loseReply), ("refused", .refuse(refusal))] {
                let place: Comment = "\(call), \(name)"
                let bed = try await before.fork()
                let faults = FaultInjector()
                await faults.add(fault) { $0 == call }
                do {
                    try await undertaking.act(bed, FaultyEngine(bed.engine, faults: faults))
                } catch {
                    await #expect(throws: Never.self, place) { try await undertaking.act(bed, bed.engine) }
                }
                let world = await bed.engine.world
                #expect(WorldText.lines(world) == WorldText.lines(end), place)
                #expect(WorldText.effects(world) == WorldText.effects(end), place)
                #expect(await bed.engine.violations.isEmpty, place)
            }
        }
    }

    @Test("a network that a killed process had asked for, and that comes late, is removed by the very pass it disturbs")
    func lateTwin() async throws {
        let bed = try await LoopBed.fresh()
        try await bed.commit(Sample.manifest)
        let faults = FaultInjector()
        let engine = bed.engine
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
        let result = try await bed.run(on: FaultyEngine(engine, faults: faults))
        guard case .converged = result.outcome else {
            Issue.record("the pass ended as \(result.outcome)")
            return
        }
        let networks = await engine.world.networks.values.map(\.summary.name).filter { $0.hasPrefix("bottle-dev-") }
        #expect(Set(networks).count == networks.count)
    }
}
