import Reconciler
import ReconcilerEngine
package import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState

/// What became of one image.
package struct BuiltImage: Sendable, Encodable {
    package let role: String
    package let reference: String
    package let outcome: String
}

/// What a build of images tells.
package enum ImageProgress: Sendable {
    case began(ImageReference)
    case output(String)
}

extension Operations {
    /// Builds the images that come with bottle and are missing, or were built from other files.
    ///
    /// - Parameters:
    ///   - roles: empty: all.
    ///   - force: builds also what is there already.
    /// - Throws: `BottleError` `no-dockerfile`, `build-failed`.
    package func buildImages(
        _ roles: [Role],
        force: Bool,
        progress: @escaping @Sendable (ImageProgress) -> Void
    ) async throws -> [BuiltImage] {
        let contexts = try BundledImages.find(environment: environment).contexts()
        let settings = try settings()
        for role in roles where contexts[role] == nil {
            throw BottleError(.noDockerfile, "no Dockerfile for \(role.rawValue) comes with bottle")
        }
        let engine = try await connection.client()
        let state = try StateFolder.create(paths.state)
        var built: [BuiltImage] = []
        for role in (roles.isEmpty ? contexts.keys.sorted() : roles) {
            guard let files = contexts[role] else { continue }
            let image = try BuildContexts(bundled: [role: files], stored: nil).image(of: role, settings)
            // One builder of an image at a time: a pass that needs the same one waits, and finds it.
            let outcome: String = try await state.lock(ofImage: image.reference).withLock {
                guard let digest = image.context else { return "named by the settings" }
                let found = try await Observer(engine: engine).images([image.reference])[image.reference]
                guard force || found?.labels[DesiredImage.contextLabel] != digest.hex else { return "up to date" }
                progress(.began(image.reference))
                try await ImageMaker(engine: engine) { progress(.output($0)) }.build(image, from: files)
                return "built"
            }
            built.append(
                BuiltImage(role: image.role.rawValue, reference: image.reference.text, outcome: outcome)
            )
        }
        return built
    }
}
