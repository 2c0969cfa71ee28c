import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerTime
import Testing

/// Refusals by host and rule.
@Suite("Groups of refusals")
struct RefusalGroupsTests {
    static func refusal(
        _ host: String,
        _ rule: String = "host",
        at second: Int64 = 0,
        method: String = "GET",
        path: String = "/",
        port: Int? = nil,
        count: Int = 1
    ) -> RefusedRequest {
        RefusedRequest(
            sidecar: .egressProxy,
            host: host,
            port: port,
            method: method,
            path: path,
            rule: rule,
            reason: "because",
            first: Timestamp(seconds: second),
            count: count
        )
    }

    static func group(_ refusals: RefusedRequest...) -> RefusalGroups {
        var groups = RefusalGroups()
        for refusal in refusals { groups.add(refusal) }
        return groups
    }

    @Test("are one for each host and rule, with count, times, methods and paths")
    func areFormed() {
        let groups = Self.group(
            Self.refusal("a.test", at: 5, path: "/1"),
            Self.refusal("b.test", at: 6),
            Self.refusal("a.test", at: 3, method: "POST", path: "/2", port: 8443),
            Self.refusal("a.test", "git-push", at: 9),
            Self.refusal("a.test", at: 4, path: "/1", count: 10)
        ).all
        let text = groups.map { group in
            "\(group.host) \(group.rule) \(group.count) \(group.first.seconds)-\(group.last.seconds) "
                + "\(group.methods) \(group.paths) \(group.ports)"
        }
        #expect(
            text == [
                #"a.test host 12 3-5 ["GET", "POST"] ["/1", "/2"] [8443]"#,
                #"b.test host 1 6-6 ["GET"] ["/"] []"#,
                #"a.test git-push 1 9-9 ["GET"] ["/"] []"#,
            ]
        )
        #expect(Set(groups.map(\.id)).count == 3)
    }

    @Test("keep their ids whatever comes beside them")
    func keepTheirIDs() {
        let alone = Self.group(Self.refusal("a.test")).all.map(\.id)
        let beside = Self.group(Self.refusal("b.test"), Self.refusal("a.test", at: 9)).all.filter {
            $0.host == "a.test"
        }
        #expect(beside.map(\.id) == alone)
        #expect(Set((0..<5000).map { RefusalGroup.id(host: "h\($0).test", rule: "host") }).count == 5000)
    }

    @Test("stay within their room and lose no count")
    func areBounded() {
        var groups = RefusalGroups(limit: 50)
        for number in 0..<5000 {
            groups.add(Self.refusal("h\(number).test", number % 2 == 0 ? "host" : "path", path: "/\(number)"))
        }
        for number in 0..<100 { groups.add(Self.refusal("h0.test", path: "/\(number)", count: 2)) }
        #expect(groups.all.count <= 50 + 65)
        #expect(groups.countsByRule == ["host": 2500 + 200, "path": 2500])
        let first = groups.all.first { $0.host == "h0.test" }
        #expect(first?.paths.count == RefusalGroup.limit)
        #expect(first?.isPartial == true)
    }

    struct NoiseRow: CustomTestStringConvertible {
        let host: String
        let rule: String
        let isNoise: Bool

        var testDescription: String { "\(host) \(rule)" }
    }

    @Test(
        "of telemetry are noise only where nothing but the missing entry speaks against them",
        arguments: [
            NoiseRow(host: "statsig.anthropic.com", rule: "host", isNoise: true),
            NoiseRow(host: "statsig.anthropic.com", rule: "unlisted-host", isNoise: true),
            NoiseRow(host: "o1.ingest.sentry.io", rule: "host", isNoise: true),
            NoiseRow(host: "statsig.anthropic.com", rule: "git-push", isNoise: false),
            NoiseRow(host: "statsig.anthropic.com", rule: "identity", isNoise: false),
            NoiseRow(host: "statsig.anthropic.com.evil.test", rule: "host", isNoise: false),
            NoiseRow(host: "api.anthropic.com", rule: "host", isNoise: false),
            NoiseRow(host: "extra.test", rule: "host", isNoise: true),
        ]
    )
    func noise(_ row: NoiseRow) throws {
        let noise = RefusalNoise([try HostPattern("extra.test")])
        let group = try #require(Self.group(Self.refusal(row.host, row.rule)).all.first)
        #expect(noise.contains(group) == row.isNoise)
    }
}
