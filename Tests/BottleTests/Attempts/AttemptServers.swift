import FoundationEssentials
import ReconcilerEngine
import ReconcilerVerify
import Testing

/// Servers of ours outside of a bottle, which log all that reaches them.
///
/// Two of them: one for every name that something may reach, one for the name that nothing may.
struct AttemptServers: Sendable {
    let fixture: BottleFixture
    let network: String
    let subnet: String
    /// IPv4.
    let address: String
    let unlistedAddress: String
    /// Path of the certificate of the CA that the servers' certificates come from.
    let authority: String
    private let containers: [String]

    static let listed = "api.bt.test"
    static let open = "files.bt.test"
    static let websocket = "ws.bt.test"
    static let wild = "deep.wild.bt.test"
    static let wildApex = "wild.bt.test"
    static let port = "alt.bt.test"
    static let unlisted = "evil.bt.test"

    /// Starts them; they end with the fixture.
    static func start(in fixture: BottleFixture) async throws -> AttemptServers {
        let names = [listed, open, websocket, wild, wildApex, port]
        let folder = fixture.name()
        let authority = try await Internet.makeCertificates(for: names + [unlisted], in: folder, of: fixture)
        try fixture.write(script, to: "\(folder)/server.py")
        let network = fixture.name()
        let subnet = try await Internet.network(network, in: fixture)
        await fixture.onTearDown { try await fixture.engine.removeNetwork(network) }
        var addresses: [String] = []
        var containers: [String] = []
        for (kind, names) in [("listed", names), ("unlisted", [unlisted])] {
            let name = fixture.name()
            let aliases = names.flatMap { ["--network-alias", $0] }
            let line = ["docker", "create", "--name", name, "--network", network, "--user", "root"] + aliases
            let created = try await fixture.run(line + ["bottle/agent", "python3", "/srv/server.py", kind])
            try #require(created.status == 0, "\(created)")
            await fixture.onTearDown { try await fixture.engine.remove(name, force: true, volumes: true) }
            for file in ["server.py", "server.pem", "server.key"] {
                try await fixture.docker("cp", "\(fixture.folder)/\(folder)/\(file)", "\(name):/srv/\(file)")
            }
            try await fixture.docker("start", name)
            addresses.append(try #require(try await fixture.engine.container(name).networks[network]?.ipAddress))
            containers.append(name)
        }
        let servers = AttemptServers(
            fixture: fixture,
            network: network,
            subnet: subnet,
            address: addresses[0],
            unlistedAddress: addresses[1],
            authority: authority,
            containers: containers
        )
        try await servers.waitUntilReady()
        return servers
    }

    /// Lines below `egress:` by which a bottle leaves to them.
    var egress: [String] { ["network: \(network)", "private: [\(subnet)]", "trust: [\(authority)]"] }

    /// Everything that reached them so far, in the order of time.
    func arrivals() async throws -> [Arrival] {
        var arrivals: [Arrival] = []
        for container in containers {
            for line in try await fixture.docker("logs", container).split(separator: "\n") where line != "ready" {
                arrivals.append(try JSONDecoder().decode(Arrival.self, from: Data(line.utf8)))
            }
        }
        return arrivals.sorted { $0.time < $1.time }
    }

    private func waitUntilReady() async throws {
        for container in containers {
            var tries = 0
            while try await !fixture.docker("logs", container).contains("ready") {
                tries += 1
                try #require(tries < 150, "a server does not come up")
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
