import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerState
import ReconcilerTime
import Synchronization
import Testing

/// A running bottle whose agent's proposed Dockerfiles are built, with a firewall image of this checkout.
struct BuildBed: Sendable {
    let scene: Scene
    let sample: Sample
    let identity: Identity
    let installation: Installation

    /// Applies `sample`, with the settings that a build needs.
    static func applied(
        _ sample: Sample,
        in scene: Scene,
        builds: Settings.Builds = Settings.Builds(),
        pool: String = "10.\(Int.random(in: 128...199)).\(Int.random(in: 0...255)).0/24"
    ) async throws -> BuildBed {
        let firewall = try await firewall(in: scene)
        try scene.write(
            "network: {pool: \(pool)}\nimages: {firewall: \(firewall)}\n",
            to: "config/bottle/config.yaml"
        )
        try await scene.applied(sample)
        let state = try #require(try StateFolder.open(scene.state))
        let bundled = try BundledImages(folder: "\(root)/Dockerfiles").contexts()
        let installation = Installation(
            state: state,
            repository: try await DesiredRepository.create(in: state, environment: scene.environment),
            settings: Settings(
                images: [.firewall: try ImageReference(firewall)],
                networkPool: try IPv4Block(pool),
                builds: builds
            ),
            engine: scene.engine,
            contexts: BuildContexts(bundled: bundled, stored: state.contexts),
            credentials: Credentials(
                values: { _ in [:] },
                fingerprint: { _, _ in "" },
                authority: { _, _ in nil }
            )
        )
        return BuildBed(
            scene: scene,
            sample: sample,
            identity: try Identity(sample.name),
            installation: installation
        )
    }

    private static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
        .joined(separator: "/")

    /// The firewall's image as this checkout has it, by a name that nobody else uses.
    private static func firewall(in scene: Scene) async throws -> String {
        let name = "\(scene.name()):latest"
        let built = try await scene.run(
            ["docker", "build", "-q", "-t", name, "\(root)/Dockerfiles/firewall"],
            environment: scene.environment.merging(["DOCKER_BUILDKIT": "0"]) { $1 }
        )
        try #require(built.status == 0, "\(built)")
        await scene.onTearDown { try await scene.engine.removeImage(name, force: true) }
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
            await scene.onTearDown { try await scene.engine.removeImage(id, force: true) }
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
        let containers = try await scene.engine.containers(labels: label, all: true)
        let steps = try await scene.engine.containers(labels: [], all: true).filter { step in
            containers.contains { step.networkMode == "container:\($0.id)" }
        }
        return containers.flatMap(\.names) + steps.flatMap(\.names)
            + (try await scene.engine.networks(labels: label).map(\.name))
            + (try await scene.engine.volumes(labels: label).map(\.name))
    }
}
