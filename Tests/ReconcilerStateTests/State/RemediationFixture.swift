import ReconcilerManifest
import ReconcilerModel
import ReconcilerState
import ReconcilerTime
import ScratchTestSupport
import Testing

/// A state folder of one test, whose repository has one bottle for remediations.
struct RemediationFixture {
    static let now = Timestamp(seconds: 1_800_000_000)

    let scratch: Scratch
    let state: StateFolder
    let environment: [String: String]
    let dev: Identity

    init() throws {
        scratch = try Scratch()
        state = try StateFolder.create("\(scratch.path)/state")
        environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": scratch.path]
        dev = try Identity("dev")
    }

    /// The bottle, with one route and these hosts.
    func manifest(_ hosts: [String] = []) throws -> BottleManifest {
        BottleManifest(
            identity: dev,
            agent: AgentSpec(image: .reference(try ImageReference("a"))),
            egress: EgressSpec(allowlist: try hosts.map { try HostPattern($0) }),
            routes: [Route(host: try HostPattern("api.example.com"), methods: .only(["GET"]))]
        )
    }

    /// The repository without a bottle.
    func emptyRepository() async throws -> DesiredRepository {
        try await DesiredRepository.create(in: state, environment: environment)
    }

    /// The repository after the manifest was applied.
    func repository(_ manifest: BottleManifest) async throws -> DesiredRepository {
        let repository = try await emptyRepository()
        _ = try await repository.commit(manifests: [manifest], reason: "apply", at: Self.now)
        return repository
    }

    func desired(_ repository: DesiredRepository, at moment: Timestamp = now) async throws -> DesiredState {
        try #require(try await repository.desired(of: dev, at: moment)).state
    }

    /// The hosts that may be reached beside the manifest's own route.
    func hosts(_ repository: DesiredRepository, at moment: Timestamp = now) async throws -> [String] {
        let manifest = try await desired(repository, at: moment).remedied.manifest
        return manifest.egress.allowlist.map(\.text) + manifest.routes.dropFirst().map(\.host.text)
    }
}
