import FoundationEssentials
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime
import Testing

/// A bottle's refusals on the disk.
@Suite("Refusals on record")
struct RefusalStoreTests {
    private static func batch(
        _ refusals: [RefusedRequest],
        container: String = "c1",
        at second: Int64,
        lost: Int = 0
    ) -> RefusalBatch {
        RefusalBatch(
            bottle: SampleManifest.identity,
            container: container,
            refusals: refusals,
            lost: lost,
            position: LogPosition(time: Timestamp(seconds: second, nanoseconds: 7), lines: 2)
        )
    }

    private static func size(_ path: String) throws -> Int {
        try DurableFile.read(path, limit: 1 << 24)?.count ?? 0
    }

    @Test("come back as they were kept, with the positions of the logs")
    func comeBack() async throws {
        let fixture = try await LoopFixture.converged()
        let state = try await fixture.installation().state
        let refusals = [
            RefusalGroupsTests.refusal("a.test", at: 1, path: "/\"quoted\"\\u{e9}"),
            RefusalGroupsTests.refusal("", "malformed", at: 2, method: "", path: ""),
            RefusalGroupsTests.refusal("b.test", at: 3, port: 8443, count: 12),
        ]
        let store = RefusalStore(state: state)
        try await store.take(Self.batch(refusals, at: 10, lost: 3))
        try await store.take(Self.batch([], container: "c2", at: 11))
        let found = try RefusalStore.load(SampleManifest.identity, in: state)
        #expect(found.refusals == refusals)
        #expect(found.lost == 3)
        let fresh = RefusalStore(state: state)
        let expected = LogPosition(time: Timestamp(seconds: 10, nanoseconds: 7), lines: 2)
        #expect(try await fresh.positions(of: SampleManifest.identity)["c1"] == expected)
        #expect(try await fresh.positions(of: SampleManifest.identity).keys.sorted() == ["c1", "c2"])
        let rule = RefusalRule(sidecar: .egressProxy, rule: "host")
        #expect(await fresh.countsByRule[SampleManifest.identity]?[rule] == 13)
    }

    @Test("a torn batch counts for nothing, wherever it was cut, and is gone with the next one")
    func tornBatch() async throws {
        let fixture = try await LoopFixture.converged()
        let state = try await fixture.installation().state
        let path = state.refusals(of: SampleManifest.identity)
        try await RefusalStore(state: state).take(Self.batch([RefusalGroupsTests.refusal("a.test")], at: 1))
        let whole = try #require(try DurableFile.read(path, limit: 1 << 20))
        try await RefusalStore(state: state).take(
            Self.batch([RefusalGroupsTests.refusal("b.test"), RefusalGroupsTests.refusal("c.test")], at: 2)
        )
        let both = try #require(try DurableFile.read(path, limit: 1 << 20))
        for length in whole.count..<both.count {
            try DurableFile.write(Array(both[..<length]), to: path)
            let found = try RefusalStore.load(SampleManifest.identity, in: state)
            #expect(found.refusals.map(\.host) == ["a.test"], "cut at \(length)")
            #expect(found.position(of: "c1")?.time.seconds == 1, "cut at \(length)")
        }
        try await RefusalStore(state: state).take(Self.batch([RefusalGroupsTests.refusal("d.test")], at: 3))
        let found = try RefusalStore.load(SampleManifest.identity, in: state)
        #expect(found.refusals.map(\.host) == ["a.test", "d.test"])
        #expect(found.unreadable == 0)
    }

    @Test("stay within their room, lose no count, and keep what was told first and last")
    func areBounded() async throws {
        let fixture = try await LoopFixture.converged()
        let state = try await fixture.installation().state
        let limit = 64 << 10
        let store = RefusalStore(state: state, limit: limit)
        var largest = 0
        for second in 0..<2000 {
            let refusals = (0..<5).map { number in
                RefusalGroupsTests.refusal("h\(second * 5 + number).test", at: Int64(second), path: "/\(number)")
            }
            try await store.take(Self.batch(refusals, at: Int64(second), lost: 1))
            largest = max(largest, try Self.size(state.refusals(of: SampleManifest.identity)))
        }
        #expect(largest <= limit + 4096)
        let found = try RefusalStore.load(SampleManifest.identity, in: state)
        #expect(found.refusals.reduce(0) { $0 + $1.count } == 10_000)
        #expect(found.lost == 2000)
        let rule = RefusalRule(sidecar: .egressProxy, rule: "host")
        #expect(await store.countsByRule[SampleManifest.identity]?[rule] == 10_000)
        #expect(found.refusals.contains { $0.host == "h0.test" })
        #expect(found.refusals.last?.host == "h9999.test")
        #expect(try await store.positions(of: SampleManifest.identity)["c1"]?.time.seconds == 1999)
    }

    @Test("a file that another program wrote into still gives its whole lines")
    func handEdited() async throws {
        let fixture = try await LoopFixture.converged()
        let state = try await fixture.installation().state
        let path = state.refusals(of: SampleManifest.identity)
        let store = RefusalStore(state: state)
        try await store.take(Self.batch([RefusalGroupsTests.refusal("a.test")], at: 1))
        let bytes = try #require(try DurableFile.read(path, limit: 1 << 20))
        try DurableFile.write(Array("nonsense\n\u{1b}[2J{}\n".utf8) + bytes, to: path)
        let found = try RefusalStore.load(SampleManifest.identity, in: state)
        #expect(found.refusals.map(\.host) == ["a.test"])
        #expect(found.unreadable == 2)
    }

    @Test("a deleted bottle leaves none behind, even if its last refusals come late")
    func deletedBottle() async throws {
        let fixture = try await LoopFixture.converged()
        let installation = try await fixture.installation()
        let store = RefusalStore(state: installation.state)
        try await store.take(Self.batch([RefusalGroupsTests.refusal("a.test")], at: 1))
        _ = try await fixture.pass().delete(reason: "gone")
        #expect(RefusalStore.bottles(in: installation.state) == [])
        try await store.take(Self.batch([RefusalGroupsTests.refusal("b.test")], at: 2))
        #expect(RefusalStore.bottles(in: installation.state) == [])
    }
}
