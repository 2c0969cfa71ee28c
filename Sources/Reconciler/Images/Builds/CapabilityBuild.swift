package import ReconcilerEngine
package import ReconcilerModel
import ReconcilerPlatform
package import ReconcilerState

/// Builds the Dockerfile that an agent proposed, before anything else changes (SPEC 5, "Capability").
package struct CapabilityBuild: Sendable {
    /// A built image, and the change that makes the bottle run it.
    package struct Built: Sendable, Hashable {
        /// What a remediation commits.
        ///
        /// Its `context` and `base` cover Dockerfile, files and base image, and every later
        /// build of it is restricted again.
        package var replacement: DockerfileReplacement
        package var imageID: ImageID
    }

    private let engine: any EngineWriting
    private let settings: Settings
    private let contexts: BuildContexts
    private let state: StateFolder
    private let restrictedBuild: @Sendable (BottleManifest) throws -> RestrictedBuild
    private let output: @Sendable (String) -> Void

    /// - Parameters:
    ///   - contexts: the contexts of the manifest's own images.
    ///   - restrictedBuild: how a proposed Dockerfile of this manifest is built.
    ///   - output: receives each line of the build, cleaned.
    package init(
        engine: any EngineWriting,
        settings: Settings,
        contexts: BuildContexts,
        state: StateFolder,
        restrictedBuild: @escaping @Sendable (BottleManifest) throws -> RestrictedBuild,
        output: @escaping @Sendable (String) -> Void
    ) {
        self.engine = engine
        self.settings = settings
        self.contexts = contexts
        self.state = state
        self.restrictedBuild = restrictedBuild
        self.output = output
    }

    /// Checks `dockerfile` for a bottle without building anything: throws what `build` would refuse at once, returns
    /// the text that it would build.
    ///
    /// - Throws: `BottleError` `dockerfile-refused` with every reason, `base-missing`, `build-failed`, `host-trouble`.
    package func check(dockerfile: String, state: DesiredState) async throws -> RestrictedDockerfile {
        let bases = try await bases(of: state.declared)
        do {
            return try RestrictedDockerfile(dockerfile, bases: bases)
        } catch {
            throw BottleError(
                .dockerfileRefused,
                "the proposed Dockerfile can't be built in the restricted way",
                at: state.declared.identity.name,
                remedy: "edit it, or make the operator's own with `bottle edit dockerfile`",
                cause: "\(error)"
            )
        }
    }

    /// Builds `dockerfile` for a bottle, or reuses an image of the same text, files and base.
    ///
    /// Its files are those of the manifest's own context, or none. If this throws, or the process dies here, nothing
    /// that is desired or runs has changed.
    /// - Throws: as `check`, and `BottleError` `build-failed` with the last lines.
    package func build(dockerfile: String, for identity: Identity, state: DesiredState) async throws -> Built {
        guard state.declared.identity == identity else {
            throw BottleError(.internal, "the desired state is of another bottle", at: identity.name)
        }
        let judged = try await check(dockerfile: dockerfile, state: state)
        guard let base = judged.bases.first else { throw BottleError(.internal, "no base", at: identity.name) }
        let (context, path) = try context(of: state.declared, with: judged.text)
        let image = try DesiredImage.restricted(of: identity, context: context.digest, dockerfile: path, base: base)
        let imageID = try await bring(image, from: context, for: state.declared)
        try context.keep(in: self.state.contexts)
        return Built(
            replacement: DockerfileReplacement(
                dockerfile: judged.text,
                context: context.digest,
                path: path,
                replaces: state.declared.agent.image.origin,
                base: base,
                proposed: dockerfile == judged.text ? nil : dockerfile
            ),
            imageID: imageID
        )
    }

    private func bring(
        _ image: DesiredImage,
        from context: BuildContext,
        for manifest: BottleManifest
    ) async throws -> ImageID {
        let build = try restrictedBuild(manifest)
        // The same lock as a pass that needs this image.
        let lock = state.lock(ofImage: image.reference)
        do {
            return try await lock.withLock(wait: .seconds(600)) {
                if let found = try await here(image) { return found }
                return try ImageID(try await build.build(image, from: context, output: output))
            }
        } catch let timeout as FileLock.TimedOut {
            throw BottleError(
                .busy,
                "another process builds this image",
                at: image.reference.text,
                cause: "\(timeout)"
            )
        }
    }

    private func here(_ image: DesiredImage) async throws -> ImageID? {
        let found = try await Observer(engine: engine).images([image.reference])[image.reference]
        guard let found, found.isMade(as: image) else { return nil }
        return try ImageID(found.id)
    }

    // MARK: - What it may begin with

    /// The manifest's own image, and for one that is built here also what the operator's Dockerfile begins with.
    private func bases(of manifest: BottleManifest) async throws -> [String: ImageID] {
        let images = try contexts.images(
            of: manifest,
            topology: Topology(manifest),
            settings: settings
        )
        guard let image = images[.agent] else { throw BottleError(.internal, "no agent", at: manifest.identity.name) }
        var bases = [image.reference.text: try await made(image, of: manifest)]
        if case .build(let source) = manifest.agent.image,
            let own = try contexts.loaded(for: images)[.agent]
        {
            let text = try own.text(at: source.dockerfile)
            for name in RestrictedDockerfile.firstNames(of: text) where bases[name] == nil && name != "scratch" {
                let reference = try ImageReference(name)
                // A stage's name either has no image or is never used as one.
                bases[name] = try await here(DesiredImage(role: .agent, reference: reference, source: .registry))
            }
        }
        return bases
    }

    /// The manifest's own image; a missing one is built or pulled as by a pass.
    private func made(_ image: DesiredImage, of manifest: BottleManifest) async throws -> ImageID {
        if let found = try await here(image) { return found }
        let context = try contexts.loaded(for: [.agent: image])[.agent]
        if image.isRestricted, let context { return try await bring(image, from: context, for: manifest) }
        let maker = ImageMaker(engine: engine, output: output)
        try await state.lock(ofImage: image.reference).withLock(wait: .seconds(600)) {
            guard try await here(image) == nil else { return }
            if let context, image.context != nil {
                try await maker.build(image, from: context)
            } else {
                try await maker.pull(image)
            }
        }
        guard let found = try await here(image) else {
            throw BottleError(
                .baseMissing,
                "the image of the manifest is not here",
                at: image.reference.text,
                remedy: "apply the manifest, so that its own image is there"
            )
        }
        return found
    }

    // MARK: - Its files

    private func context(of manifest: BottleManifest, with text: String) throws -> (BuildContext, path: String) {
        switch manifest.agent.image {
        case .reference: return (try BuildContext([:]).replacing("Dockerfile", with: text), "Dockerfile")
        case .build(let source):
            guard let pinned = source.pinned else {
                throw BottleError(.notResolved, "the build context is not pinned", at: source.context)
            }
            let folder = "\(state.contexts)/\(pinned)"
            let own = BuildContext(storedIn: folder, digest: pinned)
            return (try own.replacing(source.dockerfile, with: text), source.dockerfile)
        }
    }
}
