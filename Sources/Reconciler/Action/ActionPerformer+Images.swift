package import ReconcilerEngine
package import ReconcilerModel

extension ActionPerformer {
    func performImage(_ action: Action, _ role: Role) async throws {
        guard let image = desired.images.first(where: { $0.role == role }) else { throw unplannable(action) }
        let maker = ImageMaker(engine: engine) { output(action, $0) }
        switch action.verb {
        case .pull: try await maker.pull(image)
        case .build:
            guard let context = contexts[role] else {
                throw BottleError(
                    "context-unreadable",
                    "there is no build context for this image",
                    at: image.reference.text
                )
            }
            try await maker.build(image, from: context)
        default: throw unplannable(action)
        }
    }
}

/// Builds and pulls images.
package struct ImageMaker: Sendable {
    private let engine: any EngineWriting
    private let output: @Sendable (String) -> Void

    /// - Parameter output: told each line of a build's or a pull's progress.
    package init(engine: any EngineWriting, output: @escaping @Sendable (String) -> Void) {
        self.engine = engine
        self.output = output
    }

    /// Builds an image and names it once it is whole; its label tells what it was made from.
    ///
    /// - Throws: `BottleError` `build-failed` with the last lines of the build.
    package func build(_ image: DesiredImage, from context: BuildContext) async throws {
        var dockerfile = "Dockerfile"
        if case .stored(_, let path) = image.source { dockerfile = path }
        var tail: [String] = []
        do {
            let options = BuildOptions(
                tags: [image.reference.text],
                dockerfile: dockerfile,
                labels: [DesiredImage.contextLabel: (image.context ?? context.digest).hex]
            )
            _ = try await engine.buildImage(context: .bytes(try context.archive()), options: options) { line in
                for text in (line.text ?? line.status ?? "").split(whereSeparator: \.isNewline).map(String.init) {
                    tail = (tail + [text]).suffix(12)
                    output(text)
                }
            }
        } catch let error as EngineError {
            throw BottleError(
                "build-failed",
                "the image could not be built",
                at: image.reference.text,
                remedy: "mend what the builder says and apply again; nothing else was changed",
                cause: (tail + ["\(error)"]).joined(separator: "\n")
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
                "pull-failed",
                "the image is not here and could not be pulled",
                at: image.reference.text,
                remedy: "build it, or name another `image:` in the manifest or the settings",
                cause: "\(error)"
            )
        }
    }
}
