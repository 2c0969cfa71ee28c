import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerTime
import ScratchTestSupport
import Testing

@Suite("A remediation's file")
struct RemediationReaderTests {
    static let name = "0007-add-host-a-example"

    static func text(_ spec: String, name: String = name) -> String {
        """
        apiVersion: bottle/v1
        kind: Remediation
        metadata:
          name: \(name)
          bottle: dev
        spec:
        \(spec.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))

        """
    }

    static let who = "by: Op <op@example.com>\nat: \"2026-11-24T03:00:00Z\"\nreason: because\n"

    private func read(_ text: String) throws -> (remediation: Remediation?, diagnostics: [Diagnostic]) {
        RemediationReader.read(
            file: "remediations/dev/\(Self.name).yaml",
            name: Self.name,
            bottle: try Identity("dev"),
            bytes: Array(text.utf8)
        )
    }

    @Test("reads as it was written")
    func plain() throws {
        let limits = "limits:\n  not_after: \"2026-11-24T05:00:00Z\"\n  max_uses: 5\n"
        let found = try read(Self.text("add_host: a.example\n\(limits)\(Self.who)proposal: p1\n"))
        #expect(found.diagnostics == [])
        let remediation = try #require(found.remediation)
        #expect(remediation.number == 7 && remediation.slug == "add-host-a-example")
        #expect(remediation.change == .hostAdded(try HostPattern("a.example")))
        #expect(remediation.limits?.maxUses == 5)
        #expect(remediation.provenance.proposal == "p1")
    }

    @Test("that is written and read is the same remediation", arguments: 0..<10)
    func roundTrip(_ block: Int) throws {
        for offset in 0..<50 {
            let seed = UInt64(block * 50 + offset)
            var maker = ManifestMaker(seed: seed)
            guard let remediation = try maker.remediation() else { continue }
            let bottle = try Identity("dev")
            let text = RemediationDocument.yaml(of: remediation, bottle: bottle)
            let found = RemediationReader.read(
                file: "x.yaml",
                name: remediation.name,
                bottle: bottle,
                bytes: Array(text.utf8)
            )
            #expect(found.diagnostics.filter { $0.severity == .error } == [], "seed \(seed):\n\(text)")
            #expect(found.remediation == remediation, "seed \(seed):\n\(text)")
        }
    }

    @Test("is valid by an independent validator of the schema", .enabled { await hasValidator() })
    func schema() async throws {
        let scratch = try Scratch()
        var text = ""
        for seed in 0..<100 {
            var maker = ManifestMaker(seed: UInt64(seed))
            guard let remediation = try maker.remediation() else { continue }
            text += "---\n" + RemediationDocument.yaml(of: remediation, bottle: try Identity("dev"))
        }
        try scratch.write(text, to: "all.yaml")
        let script = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let (status, output) = try await python(
            ["/\(script)/schema-check.py", scratch.path + "/all.yaml"],
            input: ManifestSchema.json
        )
        #expect(status == .exited(0), "\(output.prefix(3000))")
    }

    static let bad = [
        BadManifest(
            "an unknown key",
            "unknown-key",
            text("add_host: a.example\n@@addhost: b.example\n\(who)"),
            "'add_host'"
        ),
        BadManifest("two changes", "conflicting-keys", text("add_host: a.example\n@@remove_host: a.example\n\(who)")),
        BadManifest("no change", "missing-key", text("@@\(who)")),
        BadManifest(
            "no author",
            "missing-key",
            text("@@add_host: a.example\nat: \"2026-11-24T03:00:00Z\"\nreason: x\n"),
            "by"
        ),
        BadManifest(
            "no such day",
            "invalid-value",
            text("add_host: a.example\n\(who.replacing("\"2026-11-24", with: "@@\"2026-02-30"))")
        ),
        BadManifest("a bad host", "invalid-host", text("add_host: @@https://a.example\n\(who)")),
        BadManifest(
            "an unknown key of a route",
            "unknown-key",
            text("add_route: {host: a.example, @@path: [/a]}\n\(who)")
        ),
        BadManifest(
            "a credential without methods",
            "missing-key",
            text("add_route: {host: a.example, @@auth: {token_ref: T}}\n\(who)"),
            "methods"
        ),
        BadManifest(
            "a route that stays as it is",
            "invalid-value",
            text("@@change_route: {from: {host: a.example}, to: {host: a.example}}\n\(who)")
        ),
        BadManifest("no limit among limits", "invalid-value", text("add_host: a.example\nlimits: @@{}\n\(who)")),
        BadManifest(
            "too many uses",
            "invalid-value",
            text("add_host: a.example\nlimits: {max_uses: @@1000001}\n\(who)")
        ),
        BadManifest(
            "a limited removal",
            "invalid-value",
            text("remove_host: a.example\n@@limits: {max_uses: 1}\n\(who)")
        ),
        BadManifest("a digest that is none", "invalid-value", text("add_host: a.example\n\(who)candidate: @@abc\n")),
        BadManifest(
            "another kind",
            "unknown-value",
            text("add_host: a.example\n\(who)").replacing("kind: Rem", with: "kind: @@Ram")
        ),
        BadManifest(
            "another bottle",
            "name-mismatch",
            text("add_host: a.example\n\(who)").replacing("bottle: dev", with: "bottle: @@prod"),
            "dev"
        ),
        BadManifest("another name", "name-mismatch", text("add_host: a.example\n\(who)", name: "@@0008-x")),
        BadManifest(
            "a path out of the context",
            "invalid-value",
            text(
                "replace_dockerfile: {dockerfile: FROM x, context: \(String(repeating: "a", count: 64)), replaces: image a, path: @@../x}\n\(who)"
            )
        ),
        BadManifest("no document", "empty-manifest", "@@# nothing\n"),
        BadManifest("a second document", "wrong-type", text("add_host: a.example\n\(who)") + "---\n@@a: 1\n"),
    ]

    @Test("that is wrong says where and what", arguments: bad)
    func wrong(_ row: BadManifest) throws {
        let marked = MarkedText(row.text)
        let found = try read(marked.text)
        #expect(found.remediation == nil)
        let errors = found.diagnostics.filter { $0.severity == .error }
        #expect(
            errors.contains {
                $0.code == row.code && $0.location?.line == marked.line && $0.location?.column == marked.column
            },
            "\(errors)"
        )
        if let suggestion = row.suggestion {
            #expect(errors.contains { ($0.suggestion ?? "").contains(suggestion) }, "\(errors)")
        }
    }

    @Test("tells all that is wrong at once")
    func all() throws {
        let found = try read(
            Self.text("add_host: A B\nlimits: {max_uses: 0}\nby: x\nat: yesterday\nreason: y\nwhy: z\n")
        )
        #expect(found.diagnostics.count >= 4)
    }
}

extension ManifestMaker {
    /// A remediation with a reason that is hard to write; nil where chance made one that can't be.
    mutating func remediation() throws -> Remediation? {
        let routes = try manifest().routes
        let host = try HostPattern(pick(["a.example", "*.b.example", "no", "xn--bcher-kva.example"]))
        var changes: [RemediationChange] = [
            .hostAdded(host), .hostRemoved(host), .routeRemoved(host),
            .dockerfileReplaced(
                DockerfileReplacement(
                    dockerfile: "FROM x\n# " + text(),
                    context: ContentDigest(of: text()),
                    path: pick(["Dockerfile", "d/x", "1"]),
                    replaces: pick(["image a", "context \(ContentDigest(of: "x")) Dockerfile", "true"]),
                    base: chance() ? try ImageID("sha256:\(ContentDigest(of: text()))") : nil,
                    proposed: chance() ? "FROM y\n" + text() : nil
                )
            ),
        ]
        for route in routes {
            changes.append(.routeAdded(route))
            changes.append(.routeChanged(from: Route(host: route.host, port: 7), to: route))
            changes.append(
                .routeChanged(from: Route(host: route.host, methods: .only(["PUT"])), to: Route(host: route.host))
            )
        }
        let change = pick(changes)
        let limits = try GrantLimits(
            notAfter: chance() ? Timestamp(seconds: Int64.random(in: 0...4_000_000_000, using: &generator)) : nil,
            maxUses: Int.random(in: 1...9, using: &generator)
        )
        return try? Remediation(
            number: Int.random(in: 1...20_000, using: &generator),
            slug: pick(["a", "true", "123", "add-host-x"]),
            change: change,
            provenance: .init(
                author: pick(["Op <op@example.com>", "no", "# x", "'ü': y"]),
                time: Timestamp(seconds: Int64.random(in: 0...4_000_000_000, using: &generator)),
                reason: pick(["because", "null", "one\n\ntwo: # three\n", "- a", "ü\u{202E}x"]),
                proposal: pick([nil, "7", "p-1", "yes"]),
                candidate: chance() ? ContentDigest(of: "x") : nil
            ),
            limits: change.limitProblem == nil && chance() ? limits : nil
        )
    }
}
