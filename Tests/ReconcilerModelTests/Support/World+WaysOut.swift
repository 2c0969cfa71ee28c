import ReconcilerModel

extension World {
    /// What generations of the sidecars' files let through: hosts by `pattern port`, and how each is judged.
    typealias Rules = [ContentDigest: [String: String]]

    /// Remembers what the wanted generations let through.
    mutating func learnRules(of desired: DesiredBottle) {
        if let generation = desired.container(.egressProxy)?.generation { rules[generation] = table }
        if let firewall = desired.container(.firewall), let generation = firewall.generation {
            rules[generation] = Dictionary(uniqueKeysWithValues: firewall.permissions.map { ($0, "any request") })
        }
    }

    private var table: [String: String] {
        var table = manifest.routes.reduce(into: [String: String]()) { $0["\($1.host) \($1.port)"] = "\($1)" }
        for host in manifest.egress.allowlist where table["\(host) 443"] == nil { table["\(host) 443"] = "allowlist" }
        return table
    }

    /// What the agent can reach once all is as desired.
    func wantedWays(_ desired: DesiredBottle) -> Set<String> {
        let hosts = desired.container(.firewall).map { Set($0.permissions) }
        guard desired.container(.egressProxy) != nil else {
            return Set((hosts ?? []).map { "\($0): any request" })
        }
        return Set(table.filter { hosts?.contains($0.key) ?? true }.map { "\($0.key): \($0.value)" })
    }

    /// What the agent can reach at this moment, and how that is judged; what is paused can't pass anything on.
    var ways: Set<String> { ways { $0.shell.isRunning } }

    /// The same, were everything that is paused to go on, and everything that lives to be connected: what the rules in
    /// force allow, whatever else keeps the agent from it.
    func waysByRules(_ desired: DesiredBottle) -> Set<String> {
        var whole = self
        let wasProxied = record.converged?.specs[Role.egressProxy.rawValue] != nil
        for wanted in desired.containers {
            whole.change(wanted.role) { box in
                guard box.shell.isLiving else { return }
                for endpoint in wanted.endpoints {
                    guard let name = desired.network(endpoint.network)?.name, let network = network(named: name),
                        // A firewall that only now becomes the agent's neighbour is not there by right.
                        wanted.role != .firewall || endpoint.network != .internal || !wasProxied
                    else { continue }
                    box.shell.endpoints.append(
                        .init(networkID: network.id, networkName: name, address: endpoint.address)
                    )
                }
            }
        }
        return whole.ways { $0.shell.isLiving }
    }

    private func ways(_ passes: (Box) -> Bool) -> Set<String> {
        func running(_ role: Role) -> Box? { boxes.first { $0.shell.role == role && passes($0) } }
        guard let agent = running(.agent) else { return [] }
        let places = places(of: agent)
        var ways = Set(exits(from: places).map { "\($0): anything" })
        let firewall = running(.firewall).flatMap { exits(from: self.places(of: $0)).isEmpty ? nil : $0 }
        if let firewall, !self.places(of: firewall).isDisjoint(with: places) {
            ways.add(through(firewall))
        }
        guard let proxy = running(.egressProxy), !self.places(of: proxy).isDisjoint(with: places) else { return ways }
        if !exits(from: self.places(of: proxy)).isEmpty { ways.add(through(proxy)) }
        if let firewall, !self.places(of: firewall).isDisjoint(with: self.places(of: proxy)) {
            let hosts = through(firewall)
            ways.add(
                isUnknown(proxy)
                    ? hosts.mapValues { _ in "as others say" }
                    : through(proxy).filter { hosts[$0.key] != nil || isUnknown(firewall) }
            )
        }
        return ways
    }

    private func places(of box: Box) -> Set<String> { Set(box.shell.endpoints.map(\.networkID)) }

    private func exits(from places: Set<String>) -> [String] {
        networks.filter { places.contains($0.id) && !$0.isInternal }.map(\.name)
    }

    private func isUnknown(_ box: Box) -> Bool { box.loaded?.inForce.map { rules[$0] == nil } ?? false }

    /// What a sidecar lets through; nobody knows that of content that somebody put there.
    private func through(_ box: Box) -> [String: String] {
        guard let generation = box.loaded?.inForce else { return [:] }
        return rules[generation] ?? ["whatever \(generation) says": "of others"]
    }
}

extension Set<String> {
    fileprivate mutating func add(_ through: [String: String]) {
        formUnion(through.map { "\($0.key): \($0.value)" })
    }
}
