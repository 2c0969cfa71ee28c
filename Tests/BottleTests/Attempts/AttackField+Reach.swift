import FoundationEssentials
import ReconcilerEngine
import ReconcilerModel
import ReconcilerVerify
import Testing

extension AttackField {
    /// A sidecar that leaves the bottle, with its addresses.
    struct Outer: Sendable {
        let role: String
        /// On the network out.
        let address: String
        /// By the bottle's own networks.
        let innerAddresses: [(network: String, address: String)]
    }

    /// The range of one of the bottle's own networks.
    func block(of network: String) async throws -> IPv4Block {
        let found = try await fixture.engine.network("bottle-\(name)-\(network)")
        return try IPv4Block(try #require(found.ipam.pools.first?.subnet))
    }

    /// The sidecars on the network out.
    func outerAddresses() async throws -> [Outer] {
        var all: [Outer] = []
        for role in sidecars {
            let networks = try await fixture.engine.container(container(role)).networks
            guard let address = networks[servers.network]?.ipAddress else { continue }
            let inner = networks.filter { $0.key != servers.network }.map { network, endpoint in
                (network: String(network.dropFirst("bottle-\(name)-".count)), address: endpoint.ipAddress)
            }
            all.append(Outer(role: role, address: address, innerAddresses: inner))
        }
        return all
    }

    /// Addresses of the machine that the tests run on, which often is the engine's.
    func hostAddresses() async throws -> [String] {
        let run = try await fixture.run(["hostname", "-I"])
        return run.output.split { $0.isWhitespace }.map(String.init).filter { !$0.contains(":") }
    }

    /// Scans every port of `addresses` from inside a container.
    func scan(_ addresses: [String], from container: String) async throws -> PortScan.Findings {
        let batch = AttemptBatch(scan: PortScan(addresses: addresses))
        let reports = try await executable.perform(batch, in: container)
        guard case .scan(let findings) = reports.first else { throw NoFindings() }
        return findings
    }

    /// Expects that no port of an address in use accepts a connection or, where a program can only reset
    /// what it accepted, that no byte comes.
    func expectNothing(at address: String, from container: String) async throws {
        let findings = try await scan([address], from: container)
        #expect(findings.absent == [], "nothing answers at \(address)")
        let attempts = findings.open.map { endpoint in
            Attempt(
                name: "\(endpoint)",
                steps: [
                    .connect("\(endpoint)"),
                    .send(.text("GET http://\(AttemptServers.listed)/ HTTP/1.1\r\nHost: a\r\n\r\n", times: 1)),
                    .receive(.close),
                ]
            )
        }
        let batch = AttemptBatch(proxy: HostPort(host: address, port: 1), attempts: attempts)
        for case .attempt(let observation) in try await executable.perform(batch, in: container) {
            #expect(observation.received == "" && !observation.isHung, "\(observation.name): \(observation.trace)")
        }
    }

    private struct NoFindings: Error {}

    // MARK: - Others

    /// Starts a container that is no part of the bottle on the network out; it may change its routes.
    func foreignContainer() async throws -> String {
        let container = fixture.name()
        let line = ["docker", "create", "--name", container, "--network", servers.network, "--user", "root"]
        let created = try await fixture.run(line + ["--cap-add", "NET_ADMIN", "bottle/agent", "sleep", "infinity"])
        try #require(created.status == 0, "\(created)")
        await fixture.onTearDown { try await fixture.engine.remove(container, force: true, volumes: true) }
        try await fixture.docker("start", container)
        try await executable.install(in: container)
        return container
    }

    /// Tells a container that a network lies behind an address; the image has no tool for it.
    func addWay(to block: IPv4Block, over address: String, in container: String) async throws {
        let program = """
            import fcntl, socket, struct, sys
            def address(text):
                return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(text))
            subnet, mask, over = map(address, sys.argv[1:])
            up_by_gateway, add_route = 3, 0x890B
            entry = struct.pack("@L16s16s16sHhLPhPLLH", 0, subnet, over, mask, up_by_gateway, 0, 0, 0, 0, 0, 0, 0, 0)
            fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), add_route, entry)
            """
        let mask = IPv4Address(bits: ~0 << UInt32(32 - block.prefix)).description
        let line = ["docker", "exec", container, "python3", "-c", program, block.base.description, mask, address]
        let run = try await fixture.run(line)
        try #require(run.status == 0, "\(run)")
    }
}

extension IPv4Block {
    /// The addresses that hosts can have.
    var addresses: [String] {
        (1..<UInt32(count - 1)).map { IPv4Address(bits: base.bits + $0).description }
    }
}
