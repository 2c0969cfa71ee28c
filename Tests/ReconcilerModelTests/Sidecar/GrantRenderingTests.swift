import FoundationEssentials
import ModelTestSupport
import ReconcilerModel
import ReconcilerTime
import Testing

@Suite("Limits in the routes file")
struct GrantRenderingTests {
    private static let example =
        "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/") + "/docs/routes-with-grants.json"

    /// A bottle with every form that limits take.
    private func granted() throws -> RemediedBottle {
        let api = SampleManifest.routed.routes[0]
        var posting = api
        posting.methods = .only(["GET", "HEAD", "POST"])
        posting.pathAllowlist.append("/search/")
        let limits = [
            try GrantLimits(notAfter: try Timestamp("2026-11-24T05:00:00Z")), try GrantLimits(maxUses: 1),
            try GrantLimits(notAfter: try Timestamp("2026-11-24T06:00:00Z"), maxUses: 5),
        ]
        let changes: [RemediationChange] = [
            .hostAdded(SampleManifest.host("files.example.net")), .routeChanged(from: api, to: posting),
            .routeAdded(
                Route(
                    host: SampleManifest.host("hooks.example.net"),
                    methods: .only(["POST"]),
                    pathAllowlist: ["/in/"],
                    auth: RouteAuth(header: "X-Key", token: SampleManifest.token)
                )
            ),
        ]
        return RemediedBottle(
            SampleManifest.routed,
            remediations: zip(changes, limits).enumerated().map {
                RemediedBottleTests.remediation($0.offset + 1, $0.element.0, $0.element.1)
            },
            at: try Timestamp("2026-11-24T04:00:00Z")
        )
    }

    @Test("are as the documented example shows them")
    func example() throws {
        let remedied = try granted()
        #expect(remedied.outcomes.map(\.fit) == [.applied, .applied, .applied])
        let manifest = remedied.manifest
        let table = RoutesTable(routes: manifest.routes, allowlist: manifest.egress.allowlist)
        let expected = try Data(contentsOf: URL(filePath: Self.example))
        let found = try table.content()
        #expect(String(decoding: found, as: UTF8.self) == String(decoding: expected, as: UTF8.self))
    }

    @Test("are not spoken of where there are none")
    func none() throws {
        let table = RoutesTable(routes: SampleManifest.routed.routes, allowlist: [])
        #expect(!String(decoding: try table.content(), as: UTF8.self).contains("grant"))
    }

    @Test("open the firewall for the host, and close it after")
    func firewall() throws {
        #expect(Firewall.permissions(of: try granted().manifest).contains("files.example.net 443"))
        #expect(!Firewall.permissions(of: SampleManifest.routed).contains("files.example.net 443"))
    }
}
