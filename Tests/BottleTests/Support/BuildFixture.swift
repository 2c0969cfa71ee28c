import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerState
import ReconcilerTime
import Synchronization
import Testing

/// A running bottle whose agent's proposed Dockerfiles are built, with a firewall image of this checkout.
struct BuildFixture: Sendable {
    let fixture: BottleFixture
    let sample: SampleBottle
    let identity: Identity
    let installation: Installation

    /// Applies `sample`, with the settings that a build needs.
    static func applied(
        _ sample: SampleBottle,
        in fixture: BottleFixture,
        builds: Settings.Builds = Settings.Builds(),
        pool: String = "10.\(Int.random(in: 128...199)).\(Int.random(in: 0...255)).0/24"
    ) async throws -> BuildFixture {
        let firewall = try await firewall(in: fixture)
        try fixture.write(
            "network: {pool: \(pool)}\nimages: {firewall: \(firewall)}\n",
            to: "config/bottle/config.yaml"
        )
        try await fixture.applied(sample)
        let state = try #require(try StateFolder.open(fixture.state))
        let bundled = try BundledImages(folder: "\(root)/Dockerfiles").contexts()
        let installation = Installation(
            state: state,
            repository: try await DesiredRepository.create(in: state, environment: fixture.environment),
            settings: Settings(
                images: [.firewall: try ImageReference(firewall)],
                networkPool: try IPv4Block(pool),
                builds: builds
            ),
            engine: fixture.engine,
            contexts: BuildContexts(bundled: bundled, stored: state.contexts),
            credentials: Credentials(
                values: { _ in [:] },
                fingerprint: { _, _ in "" },
                authority: { _, _ in nil }
            )
        )
        return BuildFixture(
            fixture: fixture,
            sample: sample,
            identity: try Identity(sample.name),
            installation: installation
        )
    }

    private static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
        .joined(separator: "/")

    /// The firewall's image as this checkout has it, by a name of its own.
    private static func firewall(in fixture: BottleFixture) async throws -> String {
        let name = "\(fixture.name()):latest"
        let built = try await fixture.run(
            ["docker", "build", "-q", "-t", name, "\(root)/Dockerfiles/firewall"],
            environment: fixture.environment.merging(["DOCKER_BUILDKIT": "0"]) { $1 }
        )
        try #require(built.status == 0, "\(built)")
        await fixture.onTearDown { try await fixture.engine.removeImage(name, force: true) }
        return name
    }

    /// What came of a build.
    struct Outcome: Sendable {
        var built: CapabilityBuild.Built?
        var error: BottleError?
        var output: [String]
    }

    /// Builds a proposed Dockerfile as its approval does.
    func build(_ dockerfile: String) async throws -> Outcome {
        let output = Mutex<[String]>([])
        let moment = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
        let desired = try #require(try await installation.repository.desired(of: identity, at: moment))
        let build = CapabilityBuild(installation) { line in output.withLock { $0.append(line) } }
        do {
            let built = try await build.build(dockerfile: dockerfile, for: identity, state: desired.state)
            let id = built.imageID.text
            await fixture.onTearDown { try await fixture.engine.removeImage(id, force: true) }
            return Outcome(built: built, output: output.withLock { $0 })
        } catch let error as BottleError {
            return Outcome(error: error, output: output.withLock { $0 })
        }
    }

    /// Commits what was built, as an approval does.
    func commit(_ built: CapabilityBuild.Built) async throws {
        _ = try await installation.repository.commit(
            remediation: RemediationDraft(.dockerfileReplaced(built.replacement), limits: nil, reason: "approved"),
            for: identity,
            at: Timestamp(seconds: Int64(Date().timeIntervalSince1970))
        )
    }

    /// Names of everything that a build made around itself and that is there.
    func leftovers() async throws -> [String] {
        let label = ["dev.bottle.build=\(identity)"]
        let containers = try await fixture.engine.containers(labels: label, all: true)
        let steps = try await fixture.engine.containers(labels: [], all: true).filter { step in
            containers.contains { step.networkMode == "container:\($0.id)" }
        }
        return containers.flatMap(\.names) + steps.flatMap(\.names)
            + (try await fixture.engine.networks(labels: label).map(\.name))
            + (try await fixture.engine.volumes(labels: label).map(\.name))
    }
}
