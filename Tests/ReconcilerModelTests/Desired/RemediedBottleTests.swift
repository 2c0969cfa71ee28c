import ModelTestSupport
import ReconcilerModel
import ReconcilerTime
import SeededRandom
import Testing

/// What remediations make of a manifest, and what becomes of them when it is edited.
@Suite("Remediations")
struct RemediedBottleTests {
    static let now = Timestamp(seconds: 1_800_000_000)
    static let api = SampleManifest.routed.routes[0]

    static func host(_ text: String) -> HostPattern { SampleManifest.host(text) }

    static func remediation(
        _ number: Int,
        _ change: RemediationChange,
        _ limits: GrantLimits? = nil
    ) -> Remediation {
        SampleManifest.known(
            try Remediation(
                number: number,
                slug: change.slug,
                change: change,
                provenance: .init(author: "Op <op@example.com>", time: now, reason: "because"),
                limits: limits
            )
        )
    }

    static let hour = SampleManifest.known(
        try GrantLimits(notAfter: Timestamp(seconds: now.seconds + 3600), maxUses: 5)
    )

    static func changed(_ route: Route, _ edit: (inout Route) -> Void) -> RemediationChange {
        var new = route
        edit(&new)
        return .routeChanged(from: route, to: new)
    }

    static let posting = changed(api) { $0.methods = .only(["GET", "HEAD", "POST"]) }
    static let pathing = changed(api) { $0.pathAllowlist = ["/repos/acme/", "/x/"] }
    static let added = Route(host: host("new.example"), methods: .only(["GET"]), pathAllowlist: ["/a/"])
    static let digest = ContentDigest(of: "context")

    static func dockerfile(_ context: String, replaces: String = "image bottle/agent") -> RemediationChange {
        .dockerfileReplaced(
            DockerfileReplacement(dockerfile: "FROM x\n", context: ContentDigest(of: context), replaces: replaces)
        )
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let changes: [RemediationChange]
        /// In the order of the changes: applied, redundant, expired, conflict.
        let fits: [String]
        var limits: GrantLimits?
        /// The edit of the manifest since.
        let edit: @Sendable (inout BottleManifest) throws -> Void
        /// What becomes of the manifest as edited.
        let effect: @Sendable (inout BottleManifest) throws -> Void

        init(
            _ name: String,
            _ changes: [RemediationChange],
            _ fits: [String],
            limits: GrantLimits? = nil,
            edit: @escaping @Sendable (inout BottleManifest) throws -> Void = { _ in },
            effect: @escaping @Sendable (inout BottleManifest) throws -> Void = { _ in }
        ) {
            testDescription = name
            self.changes = changes
            self.fits = fits
            self.limits = limits
            self.edit = edit
            self.effect = effect
        }
    }

    static let rows: [Row] = [
        Row("a host is added", [.hostAdded(host("a.example"))], ["applied"]) { _ in
        } effect: {
            $0.egress.allowlist.append(host("a.example"))
        },
        Row("a host that the manifest has now", [.hostAdded(host("raw.example.org"))], ["redundant"]),
        Row("a host that a wildcard of the manifest opens now", [.hostAdded(host("a.b.example"))], ["redundant"]) {
            $0.egress.allowlist.append(host("*.b.example"))
        },
        Row("a host that has a limited route now", [.hostAdded(host("api.example.com"))], ["conflict"]),
        Row("a host is removed", [.hostRemoved(host("raw.example.org"))], ["applied"]) { _ in
        } effect: {
            $0.egress.allowlist = []
        },
        Row("a host to remove that is gone", [.hostRemoved(host("gone.example"))], ["redundant"]),
        Row("a host to remove that a wildcard still opens", [.hostRemoved(host("raw.example.org"))], ["conflict"]) {
            $0.egress.allowlist.append(host("*.example.org"))
        },
        Row(
            "added and removed again",
            [.hostAdded(host("a.example")), .hostRemoved(host("a.example"))],
            ["redundant", "redundant"]
        ),
        Row(
            "added, removed again, and the manifest has it now",
            [.hostAdded(host("a.example")), .hostRemoved(host("a.example"))],
            ["redundant", "applied"]
        ) {
            $0.egress.allowlist.append(host("a.example"))
        } effect: {
            $0.egress.allowlist.removeLast()
        },
        Row("a route is added", [.routeAdded(added)], ["applied"]) { _ in
        } effect: {
            $0.routes.append(added)
        },
        Row("a route that the manifest has now, and wider", [.routeAdded(added)], ["redundant"]) {
            $0.routes.append(Route(host: added.host))
        },
        Row("a route whose host has another route now", [.routeAdded(added)], ["conflict"]) {
            $0.routes.append(added.with(scope: RequestScope(methods: .only(["GET"]), paths: ["/b/"])))
        },
        Row("a route whose host has a credential now", [.routeAdded(added)], ["conflict"]) {
            var route = added
            route.auth = RouteAuth(token: SampleManifest.token)
            $0.routes.append(route)
        },
        Row("a route is removed", [.routeRemoved(host("docs.example.com"))], ["applied"]) { _ in
        } effect: {
            $0.routes.remove(at: 1)
        },
        Row("a route is removed that was edited", [.routeRemoved(host("docs.example.com"))], ["applied"]) {
            $0.routes[1].pathAllowlist = ["/z"]
        } effect: {
            $0.routes.remove(at: 1)
        },
        Row("a route to remove that is gone", [.routeRemoved(host("docs.example.com"))], ["redundant"]) {
            $0.routes.remove(at: 1)
        },
        Row("a route to remove whose host is allowed now", [.routeRemoved(host("docs.example.com"))], ["applied"]) {
            $0.routes.remove(at: 1)
            $0.egress.allowlist.append(host("docs.example.com"))
        } effect: {
            $0.egress.allowlist.removeLast()
        },
        Row("a route to remove that a wildcard would open", [.routeRemoved(host("docs.example.com"))], ["conflict"]) {
            $0.egress.allowlist.append(host("*.example.com"))
        },
        Row("a route is changed", [posting], ["applied"]) { _ in
        } effect: {
            $0.routes[0].methods = .only(["GET", "HEAD", "POST"])
        },
        Row("a route to change that is gone", [posting], ["conflict"]) { $0.routes.remove(at: 0) },
        Row("a route to change that lost its credential", [posting], ["conflict"]) { $0.routes[0].auth = nil },
        Row("a route to change that takes the agent's credential now", [posting], ["conflict"]) {
            $0.routes[0].allowsClientAuth = true
        },
        Row("a route to change that has the change", [posting], ["redundant"]) {
            $0.routes[0].methods = .only(["GET", "HEAD", "POST", "PUT"])
        },
        Row("the manifest's own narrowing stays", [posting], ["applied"]) {
            $0.routes[0].methods = .only(["GET"])
        } effect: {
            $0.routes[0].methods = .only(["GET", "POST"])
        },
        Row("a wider path and wider methods don't multiply", [pathing], ["conflict"]) { $0.routes[0].methods = .any },
        Row(
            "two changes of a route",
            [
                posting,
                changed(
                    api.with(scope: RequestScope(methods: .only(["GET", "HEAD", "POST"]), paths: ["/repos/acme/"]))
                ) { $0.pathAllowlist.append("/x/") },
            ],
            ["applied", "applied"]
        ) { _ in
        } effect: {
            $0.routes[0].methods = .only(["GET", "HEAD", "POST"])
            $0.routes[0].pathAllowlist.append("/x/")
        },
        Row("one of several conflicts", [posting, .hostAdded(host("a.example"))], ["conflict", "applied"]) {
            $0.routes.remove(at: 0)
        } effect: {
            $0.egress.allowlist.append(host("a.example"))
        },
        Row("a change that its own removal overtakes", [posting, .routeRemoved(api.host)], ["redundant", "redundant"]) {
            $0.routes.remove(at: 0)
        },
        Row("a Dockerfile", [dockerfile("one")], ["applied"]) { _ in
        } effect: {
            $0.agent.image = .build(BuildSource(context: "/", pinned: ContentDigest(of: "one")))
        },
        Row("the last Dockerfile counts", [dockerfile("one"), dockerfile("two")], ["redundant", "applied"]) { _ in
        } effect: {
            $0.agent.image = .build(BuildSource(context: "/", pinned: ContentDigest(of: "two")))
        },
        Row("a Dockerfile that the manifest has", [dockerfile("one")], ["redundant"]) {
            $0.agent.image = .build(BuildSource(context: "/c", pinned: ContentDigest(of: "one")))
        },
        Row("a Dockerfile for another image", [dockerfile("one")], ["conflict"]) {
            $0.agent.image = .reference(SampleManifest.known(try ImageReference("other")))
        },
        Row("a host for a time", [.hostAdded(host("a.example"))], ["applied"], limits: hour) { _ in
        } effect: {
            $0.routes.append(Route(host: host("a.example"), grant: Grant(id: "dev/0001", limits: hour)))
        },
        Row("a host for a time without an egress-proxy", [.hostAdded(host("a.example"))], ["conflict"], limits: hour) {
            $0.routes = []
        },
        Row(
            "a host for a time that is open anyhow",
            [.hostAdded(host("raw.example.org"))],
            ["redundant"],
            limits: hour
        ),
        Row("a host for a time that a wildcard opens", [.hostAdded(host("a.b.example"))], ["redundant"], limits: hour) {
            $0.egress.allowlist.append(host("*.b.example"))
        },
        Row("a host for a time below a wildcard's route", [.hostAdded(host("a.b.example"))], ["conflict"], limits: hour)
        {
            $0.routes.append(Route(host: host("*.b.example"), methods: .only(["GET"])))
        },
        Row(
            "a host twice for a time",
            [.hostAdded(host("a.example")), .hostAdded(host("a.example"))],
            ["applied", "applied"],
            limits: hour
        ) { _ in
        } effect: {
            $0.routes.append(
                Route(
                    host: host("a.example"),
                    grant: Grant(id: "dev/0001", limits: hour),
                    widenings: [Widening(grant: Grant(id: "dev/0002", limits: hour), scope: RequestScope())]
                )
            )
        },
        Row("a method for a time", [posting], ["applied"], limits: hour) { _ in
        } effect: {
            $0.routes[0].widenings = [
                Widening(
                    grant: Grant(id: "dev/0001", limits: hour),
                    scope: RequestScope(methods: .only(["POST"]), paths: ["/repos/acme/"])
                )
            ]
        },
        Row("a path for a time", [pathing], ["applied"], limits: hour) { _ in
        } effect: {
            $0.routes[0].widenings = [
                Widening(
                    grant: Grant(id: "dev/0001", limits: hour),
                    scope: RequestScope(methods: .only(["GET", "HEAD"]), paths: ["/x/"])
                )
            ]
        },
        Row(
            "an end that has come",
            [.hostAdded(host("a.example"))],
            ["expired"],
            limits: SampleManifest.known(try GrantLimits(notAfter: now))
        ),
    ]

    @Test("apply, are redundant, or conflict, by stated rules", arguments: rows)
    func table(_ row: Row) throws {
        var manifest = SampleManifest.routed
        try row.edit(&manifest)
        let remediations = row.changes.enumerated().map { Self.remediation($0.offset + 1, $0.element, row.limits) }
        let remedied = RemediedBottle(manifest, remediations: remediations, at: Self.now)
        try row.effect(&manifest)
        #expect(remedied.outcomes.map(\.fit.word) == row.fits, "\(remedied.outcomes.map(\.fit))")
        #expect(remedied.manifest == manifest)
    }

    @Test("are taken in the order of their numbers, whatever order they come in")
    func order() {
        let changes: [RemediationChange] = [.hostAdded(Self.host("a.example")), .hostRemoved(Self.host("a.example"))]
        let remediations = changes.enumerated().map { Self.remediation($0.offset + 1, $0.element) }
        let one = RemediedBottle(SampleManifest.routed, remediations: remediations, at: Self.now)
        #expect(one == RemediedBottle(SampleManifest.routed, remediations: remediations.reversed(), at: Self.now))
        #expect(one.manifest == SampleManifest.routed)
    }

    @Test("can't be limited where the end would give something back or replace the agent")
    func limits() {
        let refused: [RemediationChange] = [
            .hostRemoved(Self.host("a.example")), .routeRemoved(Self.host("a.example")), Self.dockerfile("one"),
            Self.changed(Self.api) { $0.methods = .only(["GET"]) }, Self.changed(Self.api) { $0.auth = nil },
            .routeAdded(Route(host: Self.host("a.example"), roles: [.claudeCodeOAuth])),
        ]
        for change in refused {
            #expect(throws: InvalidValue.self) {
                try Remediation(
                    number: 1,
                    slug: "a",
                    change: change,
                    provenance: .init(author: "a", time: Self.now, reason: "b"),
                    limits: Self.hour
                )
            }
        }
    }

    @Test("What is redundant can go, and what is exported needs none of them", arguments: 0..<20)
    func properties(_ block: Int) throws {
        for offset in 0..<100 {
            let seed = UInt64(block * 100 + offset)
            var draw = Draw(seed: seed)
            let (manifest, remediations) = (try draw.manifest(), try draw.remediations())
            let remedied = RemediedBottle(manifest, remediations: remediations, at: Self.now)
            let spent = Set(remedied.spent.map(\.remediation.number))
            let kept = RemediedBottle(
                manifest,
                remediations: remediations.filter { !spent.contains($0.number) },
                at: Self.now
            )
            #expect(kept.manifest == remedied.manifest, "seed \(seed)")

            // Where something conflicts, folding the rest in can make it fit; no manifest can say what is limited; and what
            // was redundant beside something wider that a later one took away would come back.
            guard remedied.conflicts.isEmpty, remediations.allSatisfy({ $0.limits == nil }), spent.isEmpty else {
                continue
            }
            let exported = remedied.manifest.withoutLimits
            let again = RemediedBottle(exported, remediations: remediations, at: Self.now)
            #expect(Authority.changes(from: exported, to: again.manifest.withoutLimits) == [], "seed \(seed)")

        }
    }
}

extension BottleManifest {
    /// Without everything that holds only within limits: what `export` can say.
    fileprivate var withoutLimits: BottleManifest {
        var manifest = self
        manifest.routes.removeAll { $0.grant != nil }
        for index in manifest.routes.indices { manifest.routes[index].widenings = [] }
        return manifest
    }
}

extension Draw {
    /// A few remediations of the hosts that `manifest` draws from.
    mutating func remediations() throws -> [Remediation] {
        let hosts = try ["a.example", "b.example", "c.example", "*.d.example", "x.d.example"].map {
            try HostPattern($0)
        }
        let token = try SecretReference("TOKEN_A")
        var found: [Remediation] = []
        for number in 1...Int.random(in: 1...6, using: &rng) {
            let host = rng.pick(hosts)
            func route(_ rng: inout SplitMix64) -> Route {
                Route(
                    host: host,
                    methods: rng.pick([.any, .only(["GET"]), .only(["GET", "POST"])]),
                    pathAllowlist: rng.pick([[], ["/a/"], ["/a/", "/b/"], ["/a/b/"]]),
                    auth: rng.oneIn(3) ? RouteAuth(token: token) : nil
                )
            }
            let (one, two) = (route(&rng), route(&rng))
            let change: RemediationChange =
                switch Int.random(in: 0..<6, using: &rng) {
                case 0: .hostAdded(host)
                case 1: .hostRemoved(host)
                case 2: .routeAdded(one)
                case 3: .routeRemoved(host)
                case 4:
                    .dockerfileReplaced(
                        DockerfileReplacement(
                            dockerfile: "FROM x",
                            context: ContentDigest(of: rng.pick(["1", "2"])),
                            replaces: "image bottle/agent"
                        )
                    )
                default: .routeChanged(from: one, to: two)
                }
            guard change.problem == nil else { continue }
            let isLimited = change.limitProblem == nil && rng.oneIn(3)
            found.append(RemediedBottleTests.remediation(number, change, isLimited ? RemediedBottleTests.hour : nil))
        }
        return found
    }
}
