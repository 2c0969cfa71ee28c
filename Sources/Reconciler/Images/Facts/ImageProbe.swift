package import ReconcilerEngine
package import ReconcilerModel

/// Inspects an image through a container of it that is never started.
///
/// The caller holds the lock for what bottles share.
package struct ImageProbe: Sendable {
    private let engine: any EngineWriting
    private let installation: InstallationID
    private let store: ImageFactsStore

    package init(engine: any EngineWriting, installation: InstallationID, store: ImageFactsStore) {
        self.engine = engine
        self.installation = installation
        self.store = store
    }

    /// Reads the facts of an image and stores them.
    ///
    /// If the process dies here, a probe container and a note of it are left. The next call for this image uses it;
    /// `removeLeft` removes it when the facts are known already.
    package func look(into image: String) async throws {
        try await removeLeft(except: image)
        let details = try await engine.image(image)
        var container = try await left(of: image)
        if container == nil {
            try store.beginProbe(image)
            container = try await make(image)
        }
        guard let container else { return }
        do {
            // Stored before the probe is removed, so that a kill in between loses nothing.
            try store.save(try await ImageFactsReader(engine: engine).facts(of: details, in: container))
        } catch {
            try? await remove(image)
            throw error
        }
        try await remove(image)
    }

    /// Removes the probes that killed processes left.
    package func removeLeft(except image: String? = nil) async throws {
        for left in try store.pendingProbes() where left != image { try await remove(left) }
    }

    /// The probe of `image` that a killed process left; nil when there is none, or one of something else.
    private func left(of image: String) async throws -> String? {
        guard try store.pendingProbes().contains(image) else { return nil }
        do {
            let found = try await engine.container(name(of: image))
            if isOurs(found), found.imageID == image, found.state.status == "created" { return found.id }
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
        try await remove(image)
        return nil
    }

    private func isOurs(_ container: ContainerDetails) -> Bool {
        labels.allSatisfy { container.config.labels?[$0.key] == $0.value }
    }

    private func name(of image: String) -> String {
        let suffix = image.split(separator: ":").last.map { String($0.prefix(12)) } ?? image
        return "bottle-probe-\(installation.text.prefix(8))-\(suffix)"
    }

    private var labels: [String: String] {
        [Labels.managedBy: "bottle", Labels.installation: installation.text, Labels.role: "probe"]
    }

    private func make(_ image: String) async throws -> String {
        let request = ContainerCreate(
            config: ContainerConfig(image: image, command: ["true"], labels: labels),
            hostConfig: HostConfig(networkMode: "none")
        )
        return try await engine.createContainer(name: name(of: image), request).id
    }

    /// Removes the probe of `image`, if it exists and carries our labels.
    private func remove(_ image: String) async throws {
        do {
            let found = try await engine.container(name(of: image))
            if isOurs(found) {
                try await engine.remove(found.id, force: true, volumes: true)
            }
        } catch {
            guard error.isNotFound else { throw error }
        }
        try store.endProbe(image)
    }
}
