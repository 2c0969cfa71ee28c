package import ReconcilerEngine
import ReconcilerModel

/// Looks into an image through a container of it that is never started.
///
/// The caller holds the lock for what bottles share.
package struct ImageProbe: Sendable {
    private let engine: any EngineWriting
    private let installation: String
    private let store: ImageFactsStore

    package init(engine: any EngineWriting, installation: String, store: ImageFactsStore) {
        self.engine = engine
        self.installation = installation
        self.store = store
    }

    /// Reads the facts of an image and keeps them.
    ///
    /// If the process dies here, a probe container is left, and a note of it; the next call removes it.
    package func look(into image: String) async throws {
        for left in try store.pendingProbes() { try await remove(left) }
        let details = try await engine.image(image)
        try store.beginProbe(image)
        let container = try await make(image)
        let facts: ImageFacts
        do {
            facts = try await ImageFactsReader(engine: engine).facts(of: details, in: container)
        } catch {
            try? await remove(image)
            throw error
        }
        try await remove(image)
        try store.save(facts)
    }

    private func name(of image: String) -> String {
        let suffix = image.split(separator: ":").last.map { String($0.prefix(12)) } ?? image
        return "bottle-probe-\(installation.prefix(8))-\(suffix)"
    }

    private var labels: [String: String] {
        [Labels.managedBy: "bottle", Labels.installation: installation, Labels.role: "probe"]
    }

    private func make(_ image: String) async throws -> String {
        let request = ContainerCreate(
            config: ContainerConfig(image: image, command: ["true"], labels: labels),
            hostConfig: HostConfig(networkMode: "none")
        )
        return try await engine.createContainer(name: name(of: image), request).id
    }

    /// Removes the probe of `image`, which we noted before we made it, if it is there and carries our labels.
    private func remove(_ image: String) async throws {
        do {
            let found = try await engine.container(name(of: image))
            if labels.allSatisfy({ found.config.labels?[$0.key] == $0.value }) {
                try await engine.remove(found.id, force: true, volumes: true)
            }
        } catch {
            guard error.isNotFound else { throw error }
        }
        try store.endProbe(image)
    }
}
