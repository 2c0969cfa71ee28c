import EngineTestSupport
import FoundationEssentials
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime
import Testing

/// Manifests with remediations folded in: every bottle of `manifests/` with every kind of remediation.
@Suite("An exported manifest")
struct ExportTests {
    /// What was approved of a bottle since it was applied.
    enum Kind: String, Sendable, CaseIterable, CustomTestStringConvertible {
        case nothing = "without a remediation"
        case routeAdded = "with a route added"
        case routeWidened = "with a route's paths widened"
        case routeNarrowed = "with a route's methods narrowed"
        case routeRemoved = "with a route removed"
        case hostAdded = "with a host added"
        case hostRemoved = "with a host removed"
        case dockerfileReplaced = "with another Dockerfile"
        case dockerfileProposed = "with a Dockerfile that its agent proposed"
        case hostForATime = "with a host for a time"
        case routeForUses = "with a route for some uses"
        case pathForATime = "with a route's path for a time"
        case several = "with several at once"

        var testDescription: String { rawValue }

        /// What makes it so; nil where the manifest has nothing to change in this way.
        func drafts(for manifest: BottleManifest) throws -> [RemediationDraft]? {
            let new = SampleManifest.host("new.example.net")
            let added = Route(host: new, methods: .only(["GET"]), pathAllowlist: ["/a/"])
            let hour = try GrantLimits(notAfter: Timestamp(seconds: LoopFixture.now.seconds + 3600))
            let narrow = manifest.routes.first { !$0.pathAllowlist.isEmpty }
            let wider = narrow.map { route in
                var wider = route
                wider.pathAllowlist.append("/more/")
                return RemediationChange.routeChanged(from: route, to: wider)
            }
            let changes: [RemediationChange?] =
                switch self {
                case .nothing, .dockerfileProposed: []
                case .routeAdded, .routeForUses: [.routeAdded(added)]
                case .routeWidened, .pathForATime: [wider]
                case .routeNarrowed:
                    [
                        manifest.routes.first.map { route -> RemediationChange in
                            var narrower = route
                            narrower.methods = .only(["GET"])
                            return .routeChanged(from: route, to: narrower)
                        }
                    ]
                case .routeRemoved: [manifest.routes.last.map { .routeRemoved($0.host) }]
                case .hostAdded, .hostForATime: [.hostAdded(new)]
                case .hostRemoved: [manifest.egress.allowlist.first.map { .hostRemoved($0) }]
                case .dockerfileReplaced: [.dockerfileReplaced(try replacement(in: manifest))]
                case .several:
                    [
                        .hostAdded(new), manifest.egress.allowlist.first.map { .hostRemoved($0) },
                        .routeAdded(Route(host: SampleManifest.host("other.example.net"))),
                        .dockerfileReplaced(try replacement(in: manifest)),
                    ]
                }
            guard changes.allSatisfy({ $0 != nil }) else { return nil }
            let limits: GrantLimits? =
                switch self {
                case .hostForATime, .pathForATime: hour
                case .routeForUses: try GrantLimits(maxUses: 5)
                default: nil
                }
            return changes.compactMap { $0 }.map { RemediationDraft($0, limits: limits, reason: "because") }
        }

        private func replacement(in manifest: BottleManifest) throws -> DockerfileReplacement {
            DockerfileReplacement(
                dockerfile: ExportTests.dockerfile,
                context: ExportTests.context.digest,
                replaces: manifest.agent.image.origin
            )
        }
    }

    private static let dockerfile = "FROM \(SampleEngine.base)\nUSER node\nENV A=b\nCMD agent\n"
    private static let context = BuildContext(["Dockerfile": .file(Array(dockerfile.utf8), isExecutable: false)])

    @Test("applied, desires the same, plans nothing and needs no remediation", arguments: Kind.allCases)
    func fixedPoint(_ kind: Kind) async throws {
        let people = try People()
        var tried: [String] = []
        for manifest in try people.bottles() {
            let place: Comment = "\(manifest.identity) \(kind.rawValue)"
            guard let drafts = try kind.drafts(for: manifest) else { continue }
            let identity = manifest.identity
            let isBuilt = unbuiltFeatures(of: manifest).isEmpty
            let fixture = try await LoopFixture.fresh(try Self.engine(for: manifest))
            let installation = try await fixture.installation()
            let repository = installation.repository
            try Self.context.keep(in: installation.state.contexts)
            func apply(_ manifest: BottleManifest) async throws {
                _ = try await repository.commit(manifests: [manifest], reason: "apply", at: LoopFixture.now)
                guard isBuilt else { return }
                let result = try await fixture.run(of: identity)
                guard case .converged = result.outcome else { throw LoopFixture.NotConverged(result: result) }
            }
            func desired() async throws -> RemediedBottle {
                try #require(try await repository.desired(of: identity, at: LoopFixture.now)).state.remedied
            }

            try await apply(manifest)
            var step = drafts
            if kind == .dockerfileProposed {
                guard isBuilt else { continue }
                step = [try await proposed(for: identity, in: installation)]
            }
            if !step.isEmpty {
                do {
                    let edit = RemediationStep(adding: step, reason: "because")
                    _ = try await repository.commit(edit, for: identity, at: LoopFixture.now)
                } catch let error as BottleError where error.code == .remediationConflict {
                    // Only an egress-proxy keeps limits.
                    #expect(drafts.allSatisfy { $0.limits != nil } && manifest.routes.isEmpty, place)
                    continue
                }
                if isBuilt { #expect(try await !fixture.run(of: identity).performed.isEmpty, place) }
            }
            tried.append(identity.name)

            let before = try await desired()
            #expect(before.outcomes.map(\.fit) == step.map { _ in RemediationFit.applied }, place)
            let text = ManifestDocument.yaml(of: before.manifest)
            let read = try #require(try people.read(text, as: "exported.yaml").first, place)
            try await apply(read)
            let after = try await desired()
            #expect(after.manifest == before.manifest, place)
            // What holds within limits only is left out, and goes on beside the manifest.
            #expect(after.outcomes == before.outcomes.filter { $0.remediation.limits != nil }, place)
            #expect(ManifestDocument.yaml(of: after.manifest) == text, place)
            guard isBuilt else { continue }
            let plan = try await fixture.plan(of: identity)
            #expect(plan.isEmpty && plan.drift.isEmpty && plan.findings.isEmpty, place)
            let result = try await fixture.run(of: identity)
            #expect(result.performed.isEmpty, place)
        }
        #expect(!tried.isEmpty)
        let mostlyThere: [Kind] = [.nothing, .routeAdded, .hostAdded, .hostRemoved, .dockerfileReplaced, .several]
        if mostlyThere.contains(kind) { #expect(tried.count == 6, "\(tried)") }
    }

    private func proposed(for identity: Identity, in installation: Installation) async throws -> RemediationDraft {
        let desired = try #require(try await installation.repository.desired(of: identity, at: LoopFixture.now))
        let built = try await CapabilityBuild(installation).build(
            dockerfile: "FROM bottle/agent\nENV A=b\n",
            for: identity,
            state: desired.state
        )
        return RemediationDraft(.dockerfileReplaced(built.replacement), reason: "because")
    }

    /// An engine on which the networks are that the manifest names and does not own.
    private static func engine(for manifest: BottleManifest) throws -> EngineState {
        var engine = SampleEngine.engine
        if let network = manifest.egress.network { _ = try engine.createNetwork(NetworkCreate(name: network)) }
        return engine
    }
}

/// A folder with the examples, and what they name of the people who would apply them.
private final class People {
    private let folder: String

    private static let files = [
        ".cache/demo/ca.pem": certificate,
        "manifests/corp-ca.pem": certificate,
        "manifests/prompts/implementer.md": "Do it.\n",
        "home/.ssh/id_ed25519": "a private key\n",
        "home/.claude/skills/review/SKILL.md": "# Review\n",
        "home/src/app/README.md": "# App\n",
    ]

    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBejCCAR+gAwIBAgIUe3NyZUZ0VhXkq0Yw3m1yQ2v0m4QwCgYIKoZIzj0EAwIw
        EjEQMA4GA1UEAwwHdGVzdCBDQTAeFw0yNjAxMDEwMDAwMDBaFw0zNjAxMDEwMDAw
        -----END CERTIFICATE-----

        """

    init() throws {
        folder = "/tmp/bottle-export-test.\(POSIX.randomHexadecimal().prefix(12))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let here = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let examples = "/" + here.split(separator: "/").dropLast(3).joined(separator: "/") + "/manifests"
        try FileManager.default.copyItem(atPath: examples, toPath: "\(folder)/manifests")
        for (path, text) in Self.files {
            let parent = path.split(separator: "/").dropLast().joined(separator: "/")
            try FileManager.default.createDirectory(atPath: "\(folder)/\(parent)", withIntermediateDirectories: true)
            try DurableFile.write(Array(text.utf8), to: "\(folder)/\(path)")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Every example, resolved.
    func bottles() throws -> [BottleManifest] {
        try resolved(ManifestFiles.load(["\(folder)/manifests"]).sources)
    }

    /// The bottles of a saved text.
    func read(_ text: String, as name: String) throws -> [BottleManifest] {
        try resolved([ManifestSource(name: name, folder: "\(folder)/home", bytes: Array(text.utf8))])
    }

    private func resolved(_ sources: [ManifestSource]) throws -> [BottleManifest] {
        let reading = ManifestReader.read(sources)
        try #require(!reading.hasErrors, "\(reading.diagnostics)")
        let resolver = ManifestResolver(
            home: "\(folder)/home",
            environment: ["EDITOR": "vi"],
            contextStore: "\(folder)/contexts",
            stateFolder: "\(folder)/state"
        )
        return try reading.bottles.map { bottle in
            let (manifest, problems) = resolver.resolve(bottle)
            return try #require(manifest, "\(problems)")
        }
    }
}
