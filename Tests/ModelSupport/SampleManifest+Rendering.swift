package import ReconcilerModel

/// What the sample is rendered with.
extension SampleManifest {
    package static let authority = RenderInput.Authority(certificate: "CA CERTIFICATE\n", key: "CA PRIVATE KEY\n")
    package static let pool = known(try IPv4Block("10.231.0.0/16"))
    package static let installation = known(try InstallationID("inst1"))
    package static let otherInstallation = known(try InstallationID("inst2"))

    package static func facts(id: String) -> ImageFacts {
        ImageFacts(
            id: id,
            user: "node",
            labels: [:],
            accounts: [.init(name: "node", uid: 1000, gid: 1000, home: "/home/node")],
            roots: "PUBLIC ROOTS"
        )
    }

    /// What Dockerfiles/<role> has the digest of.
    package static func context(_ role: Role) -> ContentDigest { ContentDigest(of: "context of \(role.rawValue)") }

    package static func image(_ role: Role) -> DesiredImage { image(role, in: routed) }

    /// - Parameter contexts: build contexts that came with the program, where they are not the sample's.
    package static func image(
        _ role: Role,
        in manifest: BottleManifest,
        contexts: [Role: ContentDigest] = [:]
    ) -> DesiredImage {
        if role == .agent, case .build(let source) = manifest.agent.image, let pinned = source.pinned {
            return DesiredImage(
                role: role,
                reference: known(try ImageReference("bottle/\(manifest.identity)-agent")),
                source: .stored(context: pinned, dockerfile: source.dockerfile)
            )
        }
        return DesiredImage(
            role: role,
            reference: known(try ImageReference(Names.image(role))),
            source: .bundled(context: contexts[role] ?? context(role))
        )
    }

    /// A render input with every image present.
    package static func input(_ manifest: BottleManifest) throws -> RenderInput {
        var addresses = AddressPlan()
        let topology = Topology(manifest)
        try addresses.assign(topology.ownNetworks, from: pool, avoiding: [])
        let images = topology.roles.map { ($0, RenderInput.Image(desired: image($0), id: "sha256:\($0.rawValue)")) }
        return input(manifest, addresses: addresses, images: Dictionary(uniqueKeysWithValues: images))
    }

    package static func input(
        _ manifest: BottleManifest,
        revision: Revision? = revision(1),
        addresses: AddressPlan,
        images: [Role: RenderInput.Image],
        fingerprints: [SecretReference: String] = [:]
    ) -> RenderInput {
        RenderInput(
            manifest: manifest,
            revision: revision,
            addresses: addresses,
            images: images,
            agentFacts: images[.agent]?.id.map(facts(id:)),
            fingerprints: Dictionary(uniqueKeysWithValues: manifest.secrets.map { ($0, "fingerprint-of-\($0)") })
                .merging(fingerprints) { $1 },
            authority: authority
        )
    }
}
