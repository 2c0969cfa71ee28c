package import ReconcilerModel
package import SeededRandom

/// Random manifests and edits.
package struct Draw {
    package var rng: SplitMix64

    package init(seed: UInt64) { rng = SplitMix64(seed: seed) }

    package mutating func manifest() throws -> BottleManifest {
        var manifest = SampleManifest.routed
        for _ in 0..<6 { try change(&manifest) }
        return manifest
    }

    /// One random edit.
    package mutating func change(_ manifest: inout BottleManifest) throws {
        let hosts = try ["a.example", "b.example", "c.example", "*.d.example", "e.example"].map { try HostPattern($0) }
        switch Int.random(in: 0..<12, using: &rng) {
        case 0:
            let host = rng.pick(hosts)
            guard !manifest.routes.contains(where: { $0.host == host }) else { return }
            let token = try SecretReference(rng.pick(["TOKEN_A", "TOKEN_B"]))
            manifest.routes.append(Route(host: host, auth: rng.oneIn(2) ? RouteAuth(token: token) : nil))
        case 1: if !manifest.routes.isEmpty { manifest.routes.removeLast() }
        case 2: if rng.oneIn(3) { manifest.routes = [] }
        case 3: if !manifest.routes.isEmpty { manifest.routes[0].pathAllowlist = [rng.pick(["/a/", "/b/"])] }
        case 4:
            let count = Int.random(in: 0...3, using: &rng)
            manifest.egress.allowlist = Array(hosts.shuffled(using: &rng).prefix(count))
        case 5: manifest.egress.firewall = rng.pick([.squid, .squid, .none])
        case 6: manifest.egress.network = rng.pick([nil, nil, "corp"])
        case 7: manifest.agent.environment["TZ"] = .literal(rng.pick(["UTC", "CET"]))
        case 8: manifest.agent.prompt = rng.pick([nil, .text("one"), .text("two")])
        case 9: manifest.agent.resources.pids = rng.pick([nil, 100, 200])
        case 10: manifest.agent.restart = rng.pick(RestartPolicy.allCases)
        default: manifest.egress.trust = rng.pick([[], [.pem("ROOT ONE")], [.pem("ROOT TWO")]])
        }
    }
}
