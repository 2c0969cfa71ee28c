package import ReconcilerEngine
import ReconcilerModel

extension EngineState {
    /// The network that an id, a name or the beginning of an id means.
    func findNetwork(_ reference: String) throws(EngineError) -> MemoryNetwork {
        if let exact = networks[reference] { return exact }
        let named = networks.values.filter { $0.summary.name == reference }
        guard named.count <= 1 else {
            throw Self.refusal(400, "network \(reference) is ambiguous (\(named.count) matches found based on name)")
        }
        if let only = named.first { return only }
        let begun = networks.values.filter { $0.summary.id.hasPrefix(reference) && reference.utf8.count >= 4 }
        guard begun.count == 1, let only = begun.first else {
            throw Self.refusal(404, "network \(reference) not found")
        }
        return only
    }

    /// A network with the running containers on it.
    func view(_ network: MemoryNetwork) -> NetworkSummary {
        var summary = network.summary
        for container in containers.values where container.isRunning {
            for endpoint in container.endpoints.values
            where endpoint.isUp && endpoint.wire.networkID == network.summary.id {
                let address = endpoint.wire.ipAddress
                summary.containers[container.id] = .init(
                    name: container.name,
                    ipv4Address: address.isEmpty ? "" : "\(address)/\(endpoint.wire.prefixLength)"
                )
            }
        }
        return summary
    }

    package mutating func createNetwork(_ request: NetworkCreate) throws(EngineError) -> String {
        if request.checkDuplicate, networks.values.contains(where: { $0.summary.name == request.name }) {
            throw Self.refusal(409, "network with name \(request.name) already exists")
        }
        var pools: [IPAM.Pool] = []
        let used = networks.values.flatMap { $0.summary.ipam.pools.compactMap(Self.block) }
        for pool in request.ipam?.pools ?? [] {
            guard let block = Self.block(pool) else { throw Self.refusal(400, "invalid subnet") }
            guard !used.contains(where: { $0.overlaps(block) }) else {
                throw Self.refusal(403, "Pool overlaps with other one on this address space")
            }
            pools.append(pool)
        }
        if pools.isEmpty {
            let free = Self.defaultPools.first { pool in !used.contains { $0.overlaps(pool) } }
            guard let free else {
                throw Self.refusal(
                    404,
                    "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network"
                )
            }
            pools = [IPAM.Pool(subnet: free.description, gateway: free.address(1).description)]
        }
        let id = freshID("network")
        networks[id] = MemoryNetwork(
            summary: NetworkSummary(
                id: id,
                name: request.name,
                driver: request.driver ?? "bridge",
                isInternal: request.isInternal ?? false,
                labels: request.labels ?? [:],
                options: request.options ?? [:],
                ipam: IPAM(driver: request.ipam?.driver ?? "default", pools: pools),
                createdAt: clock
            )
        )
        count("create", "network", request.name)
        tell("network", "create", id, ["name": request.name, "type": request.driver ?? "bridge"])
        return id
    }

    package mutating func removeNetwork(_ reference: String) throws(EngineError) {
        let network = try findNetwork(reference)
        let name = network.summary.name
        guard !network.isPredefined else {
            throw Self.refusal(403, "\(name) is a pre-defined network and cannot be removed")
        }
        guard view(network).containers.isEmpty else {
            throw Self.refusal(
                403,
                "error while removing network: network \(name) id \(network.summary.id) has active endpoints"
            )
        }
        networks[network.summary.id] = nil
        count("remove", "network", name)
        tell("network", "destroy", network.summary.id, ["name": name, "type": network.summary.driver])
    }

    package mutating func connect(
        network reference: String,
        container: String,
        endpoint: EndpointCreate
    ) throws(EngineError) {
        var target = try find(container)
        let network: NetworkSummary
        do {
            network = try findNetwork(reference).summary
        } catch {
            guard !target.isRunning, error.isNotFound else { throw error }
            // Taken at its word until the start.
            containers[target.id]?.endpoints[reference] = .init(
                wire: NetworkEndpoint(aliases: endpoint.aliases ?? [], addressing: endpoint.addressing)
            )
            return
        }
        let isPrivate = network.driver == "null" || target.endpoints.keys.contains("none")
        guard !isPrivate || target.endpoints.isEmpty else {
            throw Self.refusal(
                400,
                "container cannot be connected to multiple networks with one of the networks in private (none) mode"
            )
        }
        if target.isRunning {
            if let present = target.endpoints[network.name], present.isUp {
                throw Self.refusal(
                    403,
                    "endpoint with name \(target.name) already exists in network \(network.name)"
                )
            }
            var fresh = Self.endpoint(endpoint, of: target, on: network)
            do {
                try bringUp(&fresh, of: target, on: network)
            } catch {
                // The engine keeps the half-made attachment in what it tells of the container.
                fresh = Self.endpoint(endpoint, of: target, on: network)
                fresh.isPhantom = true
                target.endpoints[network.name] = fresh
                containers[target.id] = target
                throw error
            }
            target.endpoints[network.name] = fresh
            containers[target.id] = target
            tellPlace("connect", target.id, network)
        } else if target.endpoints[network.name] == nil {
            target.endpoints[network.name] = Self.endpoint(endpoint, of: target, on: network)
            containers[target.id] = target
        }
        // A container that does not run and has the network keeps the place that it asked for before; no refusal.
        count("connect", "container", "\(target.name) \(network.name)")
    }

    package mutating func disconnect(network reference: String, container: String, force: Bool) throws(EngineError) {
        guard let target = try? find(container) else {
            throw Self.refusal(404, force ? "endpoint \(container) not found" : "No such container: \(container)")
        }
        var found: NetworkSummary?
        do {
            found = try findNetwork(reference).summary
        } catch {
            guard force else { throw error }
        }
        // Whether it is the very network counts only while the container runs; else it is the name.
        let name = found?.name ?? reference
        let endpoint = target.endpoints[name]
        let isUp = endpoint?.isUp == true && endpoint?.wire.networkID == found?.id
        guard endpoint != nil, isUp || !target.isRunning || found == nil else {
            throw Self.refusal(500, "container \(target.id) is not connected to the network \(name)")
        }
        containers[target.id]?.endpoints[name] = nil
        if let found {
            if isUp { tellPlace("disconnect", target.id, found) }
            tellPlace("disconnect", target.id, found)
        }
        count("disconnect", "container", "\(target.name) \(name)")
    }

    /// A place as it was asked for, not in force yet.
    static func endpoint(
        _ request: EndpointCreate,
        of container: MemoryContainer,
        on network: NetworkSummary
    ) -> MemoryContainer.Endpoint {
        var aliases = request.aliases ?? []
        if network.name != "bridge", network.driver == "bridge" { aliases.append(String(container.id.prefix(12))) }
        return .init(wire: NetworkEndpoint(aliases: aliases, addressing: request.addressing))
    }

    /// Puts a place in force.
    mutating func bringUp(
        _ endpoint: inout MemoryContainer.Endpoint,
        of container: MemoryContainer,
        on network: NetworkSummary
    ) throws(EngineError) {
        endpoint.isPhantom = false
        endpoint.wire.networkID = network.id
        if let pool = network.ipam.pools.first, let block = Self.block(pool) {
            let used = Set(
                containers.values.flatMap { other in
                    other.endpoints.values.filter { $0.isUp && $0.wire.networkID == network.id }.map(\.wire.ipAddress)
                }
            )
            let asked = endpoint.wire.addressing?.ipv4Address ?? ""
            let gateway = pool.gateway ?? block.address(1).description
            if asked.isEmpty {
                let last = UInt32(min(block.count, 65_536)) - 1
                let free = (2..<last).map { block.address($0).description }.first {
                    !used.contains($0) && $0 != gateway
                }
                guard let free else {
                    throw Self.refusal(500, "no available IPv4 addresses on this network's address pools")
                }
                endpoint.wire.ipAddress = free
            } else {
                guard !used.contains(asked), asked != gateway else {
                    throw Self.refusal(403, "Address already in use")
                }
                endpoint.wire.ipAddress = asked
            }
            endpoint.wire.prefixLength = block.prefix
            endpoint.wire.gateway = gateway
        }
        endpoint.wire.endpointID = freshID("endpoint")
        let short = String(container.id.prefix(12))
        if network.name != "bridge", network.driver == "bridge", !endpoint.wire.aliases.contains(short) {
            endpoint.wire.aliases.append(short)
        }
    }

    /// A place that is in force no more; what was asked for and where it was stay.
    mutating func takeDown(_ name: String, of id: String) {
        guard var endpoint = containers[id]?.endpoints[name], endpoint.isUp else { return }
        endpoint.wire.endpointID = ""
        endpoint.wire.ipAddress = ""
        endpoint.wire.prefixLength = 0
        endpoint.wire.gateway = ""
        endpoint.wire.macAddress = ""
        containers[id]?.endpoints[name] = endpoint
        if let network = networks[endpoint.wire.networkID]?.summary { tellPlace("disconnect", id, network) }
    }

    mutating func tellPlace(_ action: String, _ container: String, _ network: NetworkSummary) {
        tell(
            "network",
            action,
            network.id,
            ["container": container, "name": network.name, "type": network.driver]
        )
    }

    private static func block(_ pool: IPAM.Pool) -> IPv4Block? { pool.subnet.flatMap { try? IPv4Block($0) } }

    /// The engine's own pools: 172.17/16 to 172.31/16, then /20s of 192.168/16.
    private static let defaultPools: [IPv4Block] =
        (17...31).compactMap { try? IPv4Block("172.\($0).0.0/16") }
        + (0..<16).compactMap { try? IPv4Block("192.168.\($0 * 16).0/20") }
}
