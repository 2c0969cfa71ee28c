package import ReconcilerModel

/// The build contexts of a run, and the image of each role of a bottle.
package struct BuildContexts: Sendable {
    private let bundled: [Role: BuildContext]
    /// The folder with stored copies of users' contexts, by digest.
    private let stored: String?

    /// - Parameter bundled: the contexts that come with the program.
    package init(bundled: [Role: BuildContext], stored: String?) {
        self.bundled = bundled
        self.stored = stored
    }

    /// The image of each role, and how to get it.
    ///
    /// - Throws: `BottleError` `dockerfiles-missing`, `context-unreadable`, `program-not-for-linux`.
    package func images(
        of manifest: BottleManifest,
        topology: Topology,
        settings: Settings
    ) throws -> [Role: DesiredImage] {
        var images: [Role: DesiredImage] = [:]
        for role in topology.roles {
            images[role] = try role == .agent ? agentImage(of: manifest, settings) : image(of: role, settings)
        }
        return images
    }

    /// The image of one of our own roles.
    package func image(of role: Role, _ settings: Settings) throws -> DesiredImage {
        if let reference = settings.images[role] {
            return DesiredImage(role: role, reference: reference, source: .registry)
        }
        let reference = try ImageReference(Names.image(role))
        guard let context = bundled[role] else {
            if Sidecars[role]?.runsThisProgram == true, !bundled.isEmpty {
                throw BottleError(
                    .programNotForLinux,
                    "the image of \(role.rawValue) is made of bottle itself, and this one can't run in a container",
                    remedy:
                        "build it with `bottle images build \(role.rawValue)` on Linux, put it where the engine finds it, "
                        + "and name it in the settings: images: {\(role.rawValue): NAME}"
                )
            }
            throw BottleError(
                .dockerfilesMissing,
                "the Dockerfile of \(role.rawValue), which comes with bottle, was not found",
                remedy: "set BOTTLE_DOCKERFILES to the folder Dockerfiles of the program's own distribution"
            )
        }
        return DesiredImage(role: role, reference: reference, source: .bundled(context: context.digest))
    }

    private func agentImage(of manifest: BottleManifest, _ settings: Settings) throws -> DesiredImage {
        switch manifest.agent.image {
        case .reference(let reference):
            guard reference.text == Names.image(.agent) else {
                return DesiredImage(role: .agent, reference: reference, source: .registry)
            }
            return try image(of: .agent, settings)
        case .build(let source):
            guard let pinned = source.pinned else {
                throw BottleError(.notResolved, "the build context is not pinned", at: source.context)
            }
            if let base = source.base {
                return try .restricted(
                    of: manifest.identity,
                    context: pinned,
                    dockerfile: source.dockerfile,
                    base: base
                )
            }
            return DesiredImage(
                role: .agent,
                reference: try ImageReference("bottle/\(manifest.identity)-agent"),
                source: .stored(context: pinned, dockerfile: source.dockerfile)
            )
        }
    }

    /// The contexts of the images that are built here.
    ///
    /// Stored copies are not read here. A build reads them, and fails if one is gone.
    package func loaded(for images: [Role: DesiredImage]) throws -> [Role: BuildContext] {
        var contexts: [Role: BuildContext] = [:]
        for (role, image) in images {
            switch image.source {
            case .registry: continue
            case .bundled: contexts[role] = bundled[role]
            case .stored(let digest, _, _):
                guard let stored else { continue }
                contexts[role] = BuildContext(storedIn: "\(stored)/\(digest)", digest: digest)
            }
        }
        return contexts
    }
}
