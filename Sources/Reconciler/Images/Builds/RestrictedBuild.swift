import ReconcilerEngine
package import ReconcilerModel
import ReconcilerPlatform

/// Builds the Dockerfile that an agent proposed.
///
/// The build reaches and uses no more than the operator allows (SPEC 5).
///
/// It uses the classic builder, which has no secrets and no mounts. It checks the Dockerfile again, accepts only bases
/// that are here by id, and runs the steps in a `BuildSandbox` within limits. It tags the image only when it is
/// complete and within its size limit. Until then nothing that runs or is desired changes.
package struct RestrictedBuild: Sendable {
    let engine: any EngineWriting
    let identity: Identity
    let installation: InstallationID
    let settings: Settings
    /// The manifest's egress: the network by which the bottle leaves, and its private ranges and fixed hosts.
    let egress: EgressSpec
    /// The image of squid and the relays, and what it is built from.
    let firewall: DesiredImage
    let firewallContext: BuildContext?
    let lock: FileLock
    let sharedLock: FileLock
    /// The addresses of all bottles, even of those without networks.
    let reserved: @Sendable () throws -> [IPv4Block]

    private var site: BuildSandbox { BuildSandbox(engine: engine, identity: identity, installation: installation) }
    private var limits: Settings.Builds { settings.builds }

    /// Builds `image` from `context` and tags it.
    ///
    /// If the process dies here, the engine ends the build. The bottle's next build, pass or deletion removes the
    /// sandbox.
    /// - Returns: the image's id.
    /// - Throws: `BottleError` `build-failed` with the last lines, `host-trouble`, `build-refused`, `base-missing`,
    ///   `busy`, `build-exit-failed`; `EngineError`; `CancellationError`.
    package func build(
        _ image: DesiredImage,
        from context: BuildContext,
        output: @escaping @Sendable (String) -> Void
    ) async throws -> String {
        let (path, judged) = try judge(image, context)
        for base in judged.bases { try await expect(base, for: image) }
        let archive = try context.archive()
        let held = try await hold()
        defer { extendLifetime(held) }
        try await site.clear()
        let result: Result<String, any Error>
        do {
            result = .success(try await buildInSite(image, archive, path, judged, output))
        } catch {
            result = .failure(error)
        }
        // A task of its own, which we wait for: a cancelled task and its children can't call the engine, and Swift 6.3
        // has no shield against cancellation. The next build, pass or deletion removes what is left now.
        _ = await Task { try await site.clear() }.result
        return try result.get()
    }

    private func judge(_ image: DesiredImage, _ context: BuildContext) throws -> (String, RestrictedDockerfile) {
        func refused(_ reason: String) -> BottleError {
            BottleError(
                .buildRefused,
                "the Dockerfile can't be built in the restricted way",
                at: image.reference.text,
                remedy: "approve a proposal anew, or drop the remediation",
                cause: reason
            )
        }
        guard case .stored(_, let path, let base?) = image.source else {
            throw refused("it is not marked as one that an agent proposed")
        }
        do {
            let judged = try RestrictedDockerfile(sealed: try context.text(at: path))
            guard judged.bases.first == base else { throw refused("it begins with another image than was approved") }
            return (path, judged)
        } catch let refusal as DockerfileRefusal {
            throw refused("\(refusal)")
        }
    }

    /// The builder would pull an image that is not here.
    private func expect(_ base: ImageID, for image: DesiredImage) async throws {
        do {
            if try await engine.image(base.text).id == base.text { return }
        } catch {
            guard error.isNotFound else { throw error }
        }
        throw BottleError(
            .baseMissing,
            "the image that the approved Dockerfile begins with is not here any more: \(base)",
            at: image.reference.text,
            remedy: "bring it back (docker load), approve a proposal anew, or drop the remediation"
        )
    }

    private func hold() async throws -> FileLock.Held {
        do {
            return try await lock.acquire(wait: limits.timeLimit + .seconds(120))
        } catch let timeout as FileLock.TimedOut {
            throw BottleError(
                .busy,
                "another build of a proposed Dockerfile goes on",
                at: identity.name,
                remedy: "try again when it has ended",
                cause: "\(timeout)"
            )
        }
    }

    // MARK: - Building

    private func buildInSite(
        _ image: DesiredImage,
        _ archive: [UInt8],
        _ path: String,
        _ judged: RestrictedDockerfile,
        _ output: @escaping @Sendable (String) -> Void
    ) async throws -> String {
        let mode = try await openSite()
        var options = BuildOptions(
            tags: [],
            dockerfile: path,
            labels: [DesiredImage.contextLabel: image.context?.hex ?? ""],
            arguments: limits.allow.isEmpty ? [:] : BuildProxy.arguments,
            networkMode: mode,
            memory: limits.memory,
            memorySwap: limits.memory,
            milliCPUs: limits.milliCPUs,
            fileSize: limits.size
        )
        options.pull = false
        let printed = BuildOutput()
        do {
            let id = try await withTimeLimit { [options] () async throws(EngineError) in
                try await engine.buildImage(context: .bytes(archive), options: options) { line in
                    for text in printed.add(line) { output(text) }
                }
            }
            guard let id else {
                throw failed(image, "took longer than \(limits.timeLimit.minutes) and was ended", printed.last)
            }
            return try await accept(id, image, judged, printed)
        } catch let error as EngineError {
            switch error {
            case .cancelled: throw CancellationError()
            // The engine went away: that says nothing about the Dockerfile.
            case .transport: throw error
            case _ where error.isHostTrouble:
                throw BottleError.hostTrouble(building: image, cause: printed.cause(error))
            default: throw failed(image, "failed", printed.cause(error))
            }
        }
    }

    private func failed(_ image: DesiredImage, _ what: String, _ cause: String) -> BottleError {
        BottleError(
            .buildFailed,
            "the build of the proposed Dockerfile \(what)",
            at: image.reference.text,
            remedy: "nothing was changed; the settings' `builds` say what a build may reach and use",
            cause: cause
        )
    }

    /// Runs `body`; nil if it took too long and was cancelled.
    private func withTimeLimit(
        _ body: @escaping @Sendable () async throws(EngineError) -> String
    ) async throws -> String? {
        try await withThrowingTaskGroup(of: String?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limits.timeLimit)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    /// Tags the image if it may be run; otherwise removes it.
    private func accept(
        _ id: String,
        _ image: DesiredImage,
        _ judged: RestrictedDockerfile,
        _ printed: BuildOutput
    ) async throws -> String {
        let details = try await engine.image(id)
        var problem: String?
        if details.config.labels?.keys.contains(where: { $0.hasPrefix(Labels.prefix) }) == true {
            problem = "made an image with labels that are bottle's own"
        }
        if let last = judged.bases.last {
            // The last base counts even if the final stage does not use it. That only lowers what is counted as added
            // for a large base.
            let added = details.size - (try await engine.image(last.text).size)
            if added > limits.size { problem = "made an image that is \(added >> 20) MiB larger than its base" }
        }
        guard let problem else {
            try await engine.tag(details.id, as: image.reference.text)
            return details.id
        }
        try await engine.removeImage(details.id, force: true)
        throw failed(image, problem, printed.last)
    }

    // MARK: - The site

    private func openSite() async throws -> String {
        let image = try await firewallImage()
        guard !limits.allow.isEmpty else { return try await site.openShut(image: image) }
        let made = try await sharedLock.withLock(wait: .seconds(600)) {
            try await site.makeNetworks(
                withExit: egress.network == nil,
                pool: settings.networkPool,
                reserved: try reserved()
            )
        }
        guard let outer = made.outer ?? egress.network else { throw CancellationError() }
        return try await site.open(
            image: image,
            egress: egress,
            allow: limits.allow,
            inner: (made.inner, made.addresses),
            outer: outer
        )
    }

    /// The id of the image of squid and the relays; it is built or pulled if it is missing or out of date.
    private func firewallImage() async throws -> String {
        let observer = Observer(engine: engine)
        let found = try await observer.images([firewall.reference])[firewall.reference]
        if let found, found.isMade(as: firewall) { return found.id }
        let maker = ImageMaker(engine: engine) { _ in }
        if let firewallContext {
            try await maker.build(firewall, from: firewallContext)
        } else {
            try await maker.pull(firewall)
        }
        return try await engine.image(firewall.reference.text).id
    }
}

extension Duration {
    fileprivate var minutes: String {
        let seconds = components.seconds
        return seconds % 60 == 0 ? "\(seconds / 60) min" : "\(seconds) s"
    }
}
