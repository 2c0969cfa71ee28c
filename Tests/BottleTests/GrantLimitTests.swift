import FoundationEssentials
import Reconciler
import ReconcilerModel
import ReconcilerState
import ReconcilerTime
import Testing

/// Remediations with limits in a living bottle.
///
/// No controller runs in any of these: the egress-proxy keeps the limits.
@Suite("A grant with limits, and no controller", .needsEngine)
struct GrantLimitTests {
    /// A bottle with one free route, and what it takes to grant it more.
    private struct Bottle {
        let fixture: BottleFixture
        let internet: Internet
        let sample: SampleBottle

        var agent: String { "bottle-\(sample.name)-agent" }
        var proxy: String { "bottle-\(sample.name)-egress-proxy" }

        init(in fixture: BottleFixture) async throws {
            self.fixture = fixture
            internet = try await Internet.start(in: fixture)
            sample = SampleBottle(name: fixture.name(), egress: internet.egress, routes: ["{host: docs.bt.test}"])
            try await fixture.applied(sample)
        }

        /// Commits the remediation and has one pass make it so; tells what that took.
        func grant(_ change: RemediationChange, _ limits: GrantLimits) async throws -> [String] {
            let state = try #require(try StateFolder.open(fixture.state))
            let repository = try #require(try DesiredRepository.open(in: state, environment: fixture.environment))
            let draft = RemediationDraft(change, limits: limits, reason: "because")
            _ = try await repository.commit(remediation: draft, for: try Identity(sample.name), at: Self.now())
            return try await fixture.applied(sample).actions()
        }

        static func now() -> Timestamp { Timestamp(seconds: Int64(Date().timeIntervalSince1970)) }

        /// How often a hundred requests at once had each status.
        func hundredAtOnce(_ url: String) async throws -> [String: Int] {
            let program = """
                import collections, sys, threading, urllib.error, urllib.request
                together, counts, one = threading.Barrier(100), collections.Counter(), threading.Lock()
                def ask(number):
                    together.wait()
                    try:
                        status = urllib.request.urlopen(f"{sys.argv[1]}/{number}", timeout=60).status
                    except urllib.error.HTTPError as error:
                        status = error.code
                    with one:
                        counts[status] += 1
                threads = [threading.Thread(target=ask, args=(number,)) for number in range(100)]
                [thread.start() for thread in threads]
                [thread.join() for thread in threads]
                for status, count in counts.items():
                    print(status, count)
                """
            let run = try await fixture.run(["docker", "exec", agent, "python3", "-c", program, url])
            try #require(run.status == 0, "\(run)")
            return run.output.split(separator: "\n").reduce(into: [:]) { counts, line in
                let words = line.split(separator: " ")
                counts[String(words[0])] = Int(words[1])
            }
        }

        func status(_ url: String) async throws -> String {
            let curl = ["curl", "-s", "-o", "/dev/null", "--max-time", "20", "-w", "%{http_code}", url]
            return try await fixture.run(["docker", "exec", agent] + curl).output
        }
    }

    @Test("lets one of a hundred requests at once through, and none after the sidecar was recreated")
    func uses() async throws {
        try await BottleFixture.run { fixture in
            let bottle = try await Bottle(in: fixture)
            let host = try HostPattern("more.bt.test")
            let made = try await bottle.grant(.hostAdded(host), try GrantLimits(maxUses: 1))
            #expect(made == LiveBottle.Edits.copySignalFirewall + LiveBottle.Edits.copySignalProxy)

            let mark = fixture.name()
            #expect(try await bottle.hundredAtOnce("https://more.bt.test/\(mark)") == ["200": 1, "403": 99])
            #expect(try await bottle.internet.requests(holding: mark, due: true).count == 1)
            #expect(try await bottle.status("https://docs.bt.test/\(mark)") == "200")

            // The count is the sidecar's alone, on a volume that outlives its container.
            let file = "/run/bottle/grants.json"
            let owner = try await fixture.docker("exec", bottle.proxy, "stat", "-c", "%u:%g %a", file)
            #expect(owner == "9099:9099 600")
            try await fixture.docker("rm", "-f", bottle.proxy)
            #expect(try await fixture.applied(bottle.sample).actions() == ["create container/egress-proxy"])
            #expect(try await bottle.status("https://more.bt.test/\(mark)") == "403")
            #expect(try await bottle.status("https://docs.bt.test/\(mark)") == "200")

            // Nor does it begin again when the last route goes, and comes back.
            try await fixture.applied(bottle.sample.with { $0.routes = [] })
            try await fixture.applied(bottle.sample)
            #expect(try await bottle.status("https://more.bt.test/\(mark)") == "403")
            let seen = try await bottle.internet.requests(holding: mark, due: true)
            #expect(seen.filter { $0.host == "more.bt.test" }.count == 1)

            let denied = try await fixture.bottle("denied", bottle.sample.name, "-o", "json").document()
            let group = denied["items"].list.first { $0["rule"].text == "grant-used-up" }
            #expect(group?["host"].text == "more.bt.test")
            #expect(group?["ports"].list.map(\.number) == [443])
        }
    }

    @Test("ends by itself: what is under way is cut, and nothing begins")
    func time() async throws {
        try await BottleFixture.run { fixture in
            let bottle = try await Bottle(in: fixture)
            // Long enough for a busy machine to open both before it.
            let end = Timestamp(seconds: Bottle.now().seconds + 75)
            let host = try HostPattern("more.bt.test")
            _ = try await bottle.grant(.hostAdded(host), try GrantLimits(notAfter: end))
            let download = try await HeldOpen.download("https://more.bt.test/drip/x", in: bottle.agent, of: fixture)
            let kept = try await HeldOpen.download("https://docs.bt.test/drip/x", in: bottle.agent, of: fixture)
            try #require(Bottle.now() < end, "the machine was too slow to see it in time")
            try await Task.sleep(for: .seconds(max(0, end.seconds - Bottle.now().seconds)))
            try await download.expectCut()
            #expect(Bottle.now() >= end)
            #expect(try await bottle.status("https://more.bt.test/x") == "403")
            try await kept.expectGoingOn()

            let denied = try await fixture.bottle("denied", bottle.sample.name, "-o", "json").document()
            #expect(denied["items"].list.map { $0["rule"].text } == ["grant-expired"])
            // A pass that comes later finds it expired; the host is gone then from the table.
            #expect(try await fixture.applied(bottle.sample).actions().contains("signal container/egress-proxy"))
            #expect(try await bottle.status("https://more.bt.test/x") == "403")
            try await kept.expectCut()
        }
    }
}
