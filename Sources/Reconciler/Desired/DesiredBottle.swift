/// Everything that must exist on the engine for one bottle: the same inputs make the same value.
package struct DesiredBottle: Sendable, Hashable {
    package var identity: Identity
    /// The commit that this was rendered from; empty before the first one.
    package var revision: Revision?
    package var images: [DesiredImage]
    package var networks: [DesiredNetwork]
    package var volumes: [DesiredVolume]
    /// In the order of `Sidecars.all`, the agent last.
    package var containers: [DesiredContainer]

    package init(
        identity: Identity,
        revision: Revision?,
        images: [DesiredImage] = [],
        networks: [DesiredNetwork] = [],
        volumes: [DesiredVolume] = [],
        containers: [DesiredContainer] = []
    ) {
        self.identity = identity
        self.revision = revision
        self.images = images
        self.networks = networks
        self.volumes = volumes
        self.containers = containers
    }

    package func container(_ role: Role) -> DesiredContainer? { containers.first { $0.role == role } }
    package func network(_ role: NetworkRole) -> DesiredNetwork? { networks.first { $0.role == role } }
}

/// An image that a container of the bottle runs.
package struct DesiredImage: Sendable, Hashable {
    /// How to get an image that isn't there.
    package enum Source: Sendable, Hashable {
        /// Build the folder `Dockerfiles/<role>`, whose content has this digest.
        case bundled(context: ContentDigest)
        /// Build a stored copy of a user's context; one with a `base` in the restricted way only (SPEC 5).
        case stored(context: ContentDigest, dockerfile: String, base: ImageID? = nil)
        /// Pull it from a registry.
        case registry
    }

    package var role: Role
    package var reference: ImageReference
    package var source: Source

    package init(role: Role, reference: ImageReference, source: Source) {
        self.role = role
        self.reference = reference
        self.source = source
    }

    /// The label that remembers what a built image was made from.
    package static let contextLabel = "io.bottle.context"

    /// What the image must say it was built from; nil for one that isn't built here.
    ///
    /// Two Dockerfiles of the same folder build two images.
    package var context: ContentDigest? {
        switch source {
        case .bundled(let context): context
        case .stored(let context, let dockerfile, let base?):
            // An image that was built without restrictions must never replace one that needs them.
            ContentDigest(of: "restricted \(base) \(context)/\(dockerfile)")
        case .stored(let context, "Dockerfile", nil): context
        case .stored(let context, let dockerfile, nil): ContentDigest(of: "\(context)/\(dockerfile)")
        case .registry: nil
        }
    }

    /// Whether it may be built in the restricted way only.
    package var isRestricted: Bool {
        if case .stored(_, _, .some) = source { true } else { false }
    }

    /// The agent's image built from a proposed Dockerfile.
    ///
    /// Its name is unique to the build, so building it changes nothing that runs.
    package static func restricted(
        of identity: Identity,
        context: ContentDigest,
        dockerfile: String,
        base: ImageID
    ) throws(InvalidValue) -> DesiredImage {
        var image = DesiredImage(
            role: .agent,
            reference: try ImageReference("bottle/\(identity)-agent"),
            source: .stored(context: context, dockerfile: dockerfile, base: base)
        )
        if let digest = image.context {
            image.reference = try ImageReference("\(image.reference):\(digest.hex.prefix(16))")
        }
        return image
    }

    /// The image as people wrote it: its name, and what it is built from.
    ///
    /// A context that comes with the program is not in it: its new version is not an edit.
    package var intent: String {
        guard case .stored = source, let context else { return reference.text }
        return "\(reference)@\(context)"
    }
}

package struct DesiredNetwork: Sendable, Hashable {
    package var role: NetworkRole
    package var name: String
    /// Nil for a network that bottle did not make.
    package var subnet: IPv4Block?
    package var isInternal: Bool

    package init(role: NetworkRole, name: String, subnet: IPv4Block?, isInternal: Bool) {
        self.role = role
        self.name = name
        self.subnet = subnet
        self.isInternal = isInternal
    }

    /// Whether it exists already and is never changed by us.
    package var isExternal: Bool { subnet == nil }

    /// The hash of what only another network can change.
    package var specHash: SpecHash {
        var facts = ["internal": "\(isInternal)", "subnet": subnet?.description ?? ""]
        for (name, value) in options { facts["option \(name)"] = value }
        return SpecHash(facts: facts)
    }

    /// Engine options: an internal network has no address of the host on it.
    package var options: [String: String] {
        isInternal ? ["com.docker.network.bridge.inhibit_ipv4": "true"] : [:]
    }
}

package struct DesiredVolume: Sendable, Hashable {
    package var name: String
    /// What it is for, as its label says: `home`, `workspace`, `egress-proxy-config`.
    package var purpose: String

    package init(name: String, purpose: String) {
        self.name = name
        self.purpose = purpose
    }

    /// The purposes of the agent's volumes, which hold its work: they go only with `delete`.
    package static let agentPurposes = ["home", "workspace"]

    /// The hash of what only another volume can change.
    package var specHash: SpecHash { SpecHash(facts: ["driver": "local"]) }
}

package struct DesiredContainer: Sendable, Hashable {
    /// What makes changed files effective.
    package enum Reload: Sendable, Hashable {
        /// Nothing: programs read the files when they want to.
        case none
        /// SIGHUP.
        case signal
    }

    /// How the container tells which generation of its files is in force.
    package enum Confirmation: Sendable, Hashable {
        case none
        /// Through the link at `LoadConfirmation.path`.
        case link
    }

    /// What closes live connections when the permission for them is withdrawn.
    package enum Withdrawal: Sendable, Hashable {
        /// The program closes them when it loads its files.
        case load
        /// Only a restart closes them.
        case restart
    }

    /// Where a container sits on a network.
    package struct Endpoint: Sendable, Hashable {
        package var network: NetworkRole
        package var address: IPv4Address?
        package var aliases: [String]

        package init(network: NetworkRole, address: IPv4Address?, aliases: [String] = []) {
            self.network = network
            self.address = address
            self.aliases = aliases
        }
    }

    /// The agent's home folder, and whose it is to be.
    package struct Home: Sendable, Hashable {
        package var path: String
        package var owner: FileOwner

        package init(path: String, owner: FileOwner) {
            self.path = path
            self.owner = owner
        }
    }

    /// A command that runs once on the agent's home, before its first start.
    package struct Setup: Sendable, Hashable {
        package var command: [String]
        /// A file in the home that says it was done.
        package var marker: String

        package init(command: [String], marker: String) {
            self.command = command
            self.marker = marker
        }
    }

    package var role: Role
    package var name: String
    package var reference: ImageReference
    /// Nil while the image isn't there.
    package var imageID: String?
    package var spec: ContainerSpec
    /// Nil while part of the spec is unknown, such as the image's id.
    package var specHash: SpecHash?
    /// The hash of what people wrote, the image by its intent instead of its id; it moves only with a desired-state edit.
    package var intentHash: SpecHash
    package var limits: Resources
    package var endpoints: [Endpoint]
    package var files: [DesiredFile]
    package var reload: Reload = .none
    package var confirmation: Confirmation = .none
    package var withdrawal: Withdrawal = .load
    /// Everything that the reloadable files allow, sorted.
    ///
    /// Empty where `withdrawal` is by `load`.
    package var permissions: [String] = []
    /// The place in the chain of exits, 0 for the outermost; nil: the agent's traffic doesn't pass it.
    package var exitRank: Int?
    package var restart: RestartPolicy
    /// Given to its owner before the first start; nil if there is no home, or its owner isn't known.
    package var home: Home?
    /// Nil: there is nothing to run beforehand.
    package var setup: Setup?

    package init(
        role: Role,
        name: String,
        reference: ImageReference,
        imageID: String?,
        spec: ContainerSpec,
        specHash: SpecHash?,
        intentHash: SpecHash,
        limits: Resources,
        endpoints: [Endpoint],
        files: [DesiredFile] = [],
        exitRank: Int? = nil,
        restart: RestartPolicy = .always
    ) {
        self.role = role
        self.name = name
        self.reference = reference
        self.imageID = imageID
        self.spec = spec
        self.specHash = specHash
        self.intentHash = intentHash
        self.limits = limits
        self.endpoints = endpoints
        self.files = files
        self.exitRank = exitRank
        self.restart = restart
    }

    /// The generation that its reloadable files make; nil for a container that confirms none.
    package var generation: ContentDigest? { confirmation == .none ? nil : Generation.digest(of: files) }
}
