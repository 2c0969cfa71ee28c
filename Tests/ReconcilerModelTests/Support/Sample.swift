import ReconcilerModel

/// Values that the tests start from.
enum Sample {
    /// A value that is right as it is written here.
    static func known<Value>(_ make: @autoclosure () throws -> Value) -> Value {
        do { return try make() } catch { preconditionFailure("\(error)") }
    }

    static let identity = known(try Identity("dev"))
    static let installation = known(try InstallationID("inst1"))
    static let otherInstallation = known(try InstallationID("inst2"))
    static let token = known(try SecretReference("TOKEN_A"))
    static let pool = known(try IPv4Block("10.231.0.0/16"))
    static let authority = RenderInput.Authority(certificate: "CA CERTIFICATE\n", key: "CA PRIVATE KEY\n")

    static func host(_ text: String) -> HostPattern { known(try HostPattern(text)) }

    /// A bottle with two routes behind squid.
    static var routed: BottleManifest {
        BottleManifest(
            identity: identity,
            agent: AgentSpec(
                image: .reference(known(try ImageReference("bottle/agent"))),
                command: ["agent"],
                prompt: .text("Do it."),
                environment: ["TZ": .literal("UTC")],
                resources: Resources(milliCPUs: 2000, memory: 4 << 30, pids: 512)
            ),
            egress: EgressSpec(allowlist: [host("raw.example.org")]),
            routes: [
                Route(
                    host: host("api.example.com"),
                    methods: .only(["GET", "HEAD"]),
                    pathAllowlist: ["/repos/acme/"],
                    auth: RouteAuth(scheme: "Bearer", token: token)
                ),
                Route(host: host("docs.example.com")),
            ]
        )
    }

    /// A bottle without routes: the agent talks to the firewall.
    static var unrouted: BottleManifest {
        var manifest = routed
        manifest.routes = []
        return manifest
    }

    /// Routes, and nothing behind the egress-proxy.
    static var unwalled: BottleManifest {
        var manifest = routed
        manifest.egress.firewall = .none
        return manifest
    }

    static func facts(id: String) -> ImageFacts {
        ImageFacts(
            id: id,
            user: "node",
            labels: [:],
            accounts: [.init(name: "node", uid: 1000, gid: 1000, home: "/home/node")],
            roots: "PUBLIC ROOTS"
        )
    }

    /// What Dockerfiles/<role> has the digest of.
    static func context(_ role: Role) -> ContentDigest { ContentDigest(of: "context of \(role.rawValue)") }

    static func image(_ role: Role) -> DesiredImage {
        DesiredImage(
            role: role,
            reference: known(try ImageReference(Names.image(role))),
            source: .bundled(context: context(role))
        )
    }

    /// A render input with every image present.
    static func input(_ manifest: BottleManifest, revision: String = "r1") throws -> RenderInput {
        var addresses = AddressPlan()
        let topology = Topology(manifest)
        try addresses.assign(topology.ownNetworks, from: pool, avoiding: [])
        var images: [Role: RenderInput.Image] = [:]
        for role in topology.roles {
            images[role] = .init(desired: image(role), id: "sha256:\(role.rawValue)")
        }
        return RenderInput(
            manifest: manifest,
            revision: revision,
            addresses: addresses,
            images: images,
            agentFacts: facts(id: "sha256:agent"),
            fingerprints: Dictionary(uniqueKeysWithValues: manifest.secrets.map { ($0, "fingerprint-of-\($0)") }),
            authority: authority
        )
    }
}
