package import ReconcilerEngine
package import ReconcilerModel

/// Builds and pulls images.
package struct ImageMaker: Sendable {
    private let engine: any EngineWriting
    private let output: @Sendable (String) -> Void

    /// - Parameter output: receives each line of a build's or a pull's progress.
    package init(engine: any EngineWriting, output: @escaping @Sendable (String) -> Void) {
        self.engine = engine
        self.output = output
    }

    /// Builds an image and tags it when it is complete; its label records what it was built from.
    ///
    /// - Throws: `BottleError` `build-failed` with the last lines of the build, or `host-trouble`; `EngineError` when
    ///   no answer came.
    package func build(_ image: DesiredImage, from context: BuildContext) async throws {
        var dockerfile = "Dockerfile"
        if case .stored(_, let path, let base) = image.source {
            guard base == nil else {
                throw BottleError(
                    .buildRefused,
                    "it may be built in the restricted way only",
                    at: image.reference.text
                )
            }
            dockerfile = path
        }
        let printed = BuildOutput()
        do {
            let options = BuildOptions(
                tags: [image.reference.text],
                dockerfile: dockerfile,
                labels: [DesiredImage.contextLabel: (image.context ?? context.digest).hex]
            )
            _ = try await engine.buildImage(context: .bytes(try context.archive()), options: options) { line in
                for text in printed.add(line) { output(text) }
            }
        } catch let error as EngineError {
            // The engine went away: that says nothing about the Dockerfile.
            if case .transport = error { throw error }
            if error.isHostTrouble { throw BottleError.hostTrouble(building: image, cause: printed.cause(error)) }
            throw BottleError(
                .buildFailed,
                "the image could not be built",
                at: image.reference.text,
                remedy: "mend what the builder says and apply again; nothing else was changed",
                cause: printed.cause(error)
            )
        }
    }

    /// Fetches an image from its registry.
    ///
    /// - Throws: `BottleError` `pull-failed` with the engine's words.
    package func pull(_ image: DesiredImage) async throws {
        do {
            try await engine.pullImage(image.reference.text) { line in
                if let status = line.status { output([line.item, status].compactMap { $0 }.joined(separator: ": ")) }
            }
        } catch {
            throw BottleError(
                .pullFailed,
                "the image is not here and could not be pulled",
                at: image.reference.text,
                remedy: "build it, or name another `image:` in the manifest or the settings",
                cause: "\(error)"
            )
        }
    }
}
