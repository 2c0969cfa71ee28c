import EngineTestSupport
import FoundationEssentials
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import Testing

/// What a follower brings from the sidecars' logs to the disk.
@Suite("A follower of refusals")
struct RefusalFollowerTests {
    private static let proxy = "bottle-dev-egress-proxy"

    private static func line(_ host: String, rule: String = "host") -> String {
        #"{"time":"2026-11-24T03:00:00.125Z","event":"refused","host":"\#(host)","method":"GET","path":"/","#
            + #""rule":"\#(rule)","reason":"because"}"#
    }

    @Test("keeps what was there and what comes, each once, however often it is killed in between")
    func neitherGapNorDuplicate() async throws {
        let fixture = try await LoopFixture.converged()
        var expected: [String] = []
        for round in 0..<12 {
            // Half of them at one moment: then only their number tells which were read.
            let before = (0..<5).map { "r\(round)-b\($0).test" }
            let during = (0..<5).map { "r\(round)-d\($0).test" }
            try await fixture.engine.change { try $0.writeAtOnce(before.map { Self.line($0) }, to: Self.proxy) }
            expected += before
            try await fixture.whileFollowed {
                if round % 3 == 0 { try await fixture.untilKept(expected) }
                try await fixture.engine.change { world in
                    if round % 2 == 0 {
                        try world.write(during.map { Self.line($0) }, to: Self.proxy)
                    } else {
                        try world.writeAtOnce(during.map { Self.line($0) }, to: Self.proxy)
                    }
                }
                expected += during
                // Killed at once in every second round, and before that in the middle of a moment.
                if round % 2 == 1 { try await fixture.untilKept(expected) }
            }
        }
        try await fixture.whileFollowed { try await fixture.untilKept(expected) }
        #expect(try await fixture.kept() == expected.sorted())
    }

    @Test("goes on with a sidecar that took the place of another, and keeps what that one told")
    func replacement() async throws {
        let fixture = try await LoopFixture.converged()
        try await fixture.engine.change { try $0.write([Self.line("old.test")], to: Self.proxy) }
        try await fixture.whileFollowed {
            try await fixture.untilKept(["old.test"])
            try await fixture.engine.change { try $0.remove(Self.proxy, force: true) }
            _ = try await fixture.run()
            try await fixture.engine.change { try $0.write([Self.line("new.test")], to: Self.proxy) }
            try await fixture.untilKept(["new.test", "old.test"])
        }
        // Nothing of the first container is left; what it told is.
        let state = try await fixture.installation().state
        let containers = try await fixture.engine.containers(labels: [], all: true)
        let found = try await BottleRefusals.read(
            SampleManifest.identity,
            in: state,
            containers: containers,
            engine: fixture.engine
        )
        #expect(found.groups.all.map(\.host).sorted() == ["new.test", "old.test"])
    }

    @Test("is not needed: what no controller kept is read from the logs, and added to what was kept")
    func withoutController() async throws {
        let fixture = try await LoopFixture.converged()
        try await fixture.engine.change {
            try $0.write([Self.line("a.test"), Self.line("a.test")], to: Self.proxy)
        }
        let state = try await fixture.installation().state
        func read() async throws -> BottleRefusals {
            try await BottleRefusals.read(
                SampleManifest.identity,
                in: state,
                containers: try await fixture.engine.containers(labels: [], all: true),
                engine: fixture.engine
            )
        }
        let alone = try await read()
        // The sidecar in memory says things of its own.
        try await fixture.engine.change { try $0.write(["noise"], to: Self.proxy) }
        #expect(try await read().unreadable == alone.unreadable + 1)
        #expect(alone.groups.all.map { "\($0.host) \($0.count)" } == ["a.test 2"])
        try await fixture.whileFollowed { try await fixture.untilKept(["a.test", "a.test"]) }
        try await fixture.engine.change { try $0.write([Self.line("a.test"), Self.line("b.test")], to: Self.proxy) }
        let both = try await read()
        #expect(both.groups.all.map { "\($0.host) \($0.count)" }.sorted() == ["a.test 3", "b.test 1"])
        #expect(both.unreadable == alone.unreadable + 1)
    }

    @Test("takes a flood of ever new hosts in little room and loses no count")
    func flood() async throws {
        let fixture = try await LoopFixture.converged()
        let count = 20_000
        try await fixture.engine.change { try $0.write([Self.line("quiet.test", rule: "path")], to: Self.proxy) }
        let state = try await fixture.installation().state
        try await fixture.whileFollowed {
            try await fixture.untilKept(["quiet.test"])
            try await fixture.engine.change { world in
                try world.write((0..<count).map { Self.line("h\($0).test") }, to: Self.proxy)
            }
            try await eventually("all are counted") {
                try RefusalStore.load(SampleManifest.identity, in: state).refusals.reduce(0) { $0 + $1.count } == count
                    + 1
            }
        }
        let kept = try RefusalStore.load(SampleManifest.identity, in: state).refusals
        // How many keep their detail hangs on how many batches they come in; the file's bound does not.
        #expect(kept.count < count / 4, "\(kept.count)")
        let size = try DurableFile.read(state.refusals(of: SampleManifest.identity), limit: 1 << 24)?.count ?? 0
        #expect(size <= RefusalStore.fileLimit, "\(size)")
        #expect(kept.contains { $0.host == "quiet.test" && $0.path == "/" })
    }

    @Test("waits for an engine that goes and comes back")
    func engineGoes() async throws {
        let fixture = try await LoopFixture.converged()
        try await fixture.whileFollowed {
            try await fixture.engine.change { try $0.write([Self.line("a.test")], to: Self.proxy) }
            try await fixture.untilKept(["a.test"])
            await fixture.engine.goDown()
            await fixture.engine.comeUp()
            _ = try await fixture.run()
            try await fixture.engine.change { try $0.write([Self.line("b.test")], to: Self.proxy) }
            try await fixture.untilKept(["a.test", "b.test"])
        }
    }
}

extension LoopFixture {
    /// Runs `body` beside a follower, which is then killed in the middle of whatever it does.
    fileprivate func whileFollowed(_ body: () async throws -> Void) async throws {
        let state = try await installation().state
        var pace = FollowerPace()
        pace.batch = .milliseconds(5)
        pace.flooded = .milliseconds(20)
        pace.linesPerSecond = 1_000_000
        pace.backoff = Backoff(base: .milliseconds(5), cap: .milliseconds(20))
        let follower = RefusalFollower(
            engine: engine,
            installation: state.installation,
            sink: RefusalStore(state: state),
            pace: pace,
            trouble: { Issue.record($0) }
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await follower.run() }
            try await body()
            group.cancelAll()
        }
    }

    /// The hosts of all refusals on record, sorted, as often as each was told.
    fileprivate func kept() async throws -> [String] {
        let state = try await installation().state
        return try RefusalStore.load(SampleManifest.identity, in: state).refusals.flatMap { refusal in
            Array(repeating: refusal.host, count: refusal.count)
        }.sorted()
    }

    fileprivate func untilKept(_ hosts: [String]) async throws {
        try await eventually("on record: \(hosts)") { try await kept().count >= hosts.count }
        #expect(try await kept() == hosts.sorted())
    }
}
