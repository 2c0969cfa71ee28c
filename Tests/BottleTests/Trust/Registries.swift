import FoundationEssentials
import ReconcilerEngine
import Testing

/// A server on a network of its own that answers as one package registry of each kind does.
///
/// Its content and its log are those of Toolbox/registries.py, which runs in the toolbox's own image.
struct Registries: Sendable {
    static let host = "repo.bt.test"

    let network: String
    let subnet: String
    /// Path of the certificate that vouches for the server.
    let authority: String
    private let fixture: BottleFixture

    /// One request that reached the server, by TLS; it knows no other.
    struct Request: Sendable, Decodable {
        let path: String
        /// By lowercase name.
        let headers: [String: String]
    }

    /// Starts it; it ends with the fixture.
    static func start(in fixture: BottleFixture) async throws -> Registries {
        let name = fixture.name()
        let subnet = try await Self.network(name, in: fixture)
        await fixture.onTearDown { try await fixture.engine.removeNetwork(name) }
        let line = ["create", "--name", name, "--network", name, "--network-alias", host, "--user", "root"]
        let created = try await fixture.run(["docker"] + line + [Toolbox.image, "python3", "/srv/registries.py", host])
        try #require(created.status == 0, "\(created)")
        await fixture.onTearDown { try await fixture.engine.remove(name, force: true, volumes: true) }
        try await fixture.docker("start", name)
        let registries = Registries(
            network: name,
            subnet: subnet,
            authority: "\(fixture.folder)/registries.pem",
            fixture: fixture
        )
        for _ in 0..<150 where try await !fixture.docker("logs", name).contains("ready") {
            try await Task.sleep(for: .milliseconds(100))
        }
        try await fixture.docker("cp", "\(name):/srv/server.pem", registries.authority)
        return registries
    }

    /// What reached the server of the requests whose path holds `mark`; waits a while for the first when one is due.
    func requests(holding mark: String, due: Bool) async throws -> [Request] {
        try await fixture.logged(by: network, due: due) { (request: Request) in request.path.contains(mark) }
    }

    private static func network(_ name: String, in fixture: BottleFixture) async throws -> String {
        var made: Run?
        for _ in 0..<20 {
            let subnet = "10.\(Int.random(in: 231...240)).\(Int.random(in: 0...255)).0/24"
            made = try await fixture.run(["docker", "network", "create", "--subnet", subnet, name])
            if made?.status == 0 { return subnet }
        }
        return try #require(nil, "no network: \(made?.description ?? "")")
    }
}
