package import ReconcilerEngine
package import ReconcilerModel

/// Looks into an image through a container of it that is never started.
package struct ImageProbe: Sendable {
    private let engine: any EngineWriting
    private let installation: String

    package init(engine: any EngineWriting, installation: String) {
        self.engine = engine
        self.installation = installation
    }

    /// Reads the facts of an image.
    ///
    /// If the process dies here, a probe container is left; `sweep` and the next look remove it.
    package func facts(of id: String) async throws -> ImageFacts {
        let image = try await engine.image(id)
        let container = try await make(id)
        do {
            let facts = try await ImageFactsReader(engine: engine).facts(of: image, in: container)
            try await engine.remove(container, force: true, volumes: true)
            return facts
        } catch {
            try? await engine.remove(container, force: true, volumes: true)
            throw error
        }
    }

    /// Removes probes that a killed process left.
    package func sweep(_ inventory: Inventory) async throws {
        for container in inventory.containers
        where container.labels[Labels.role] == Self.role && container.labels[Labels.installation] == installation {
            do {
                try await engine.remove(container.id, force: true, volumes: true)
            } catch {
                // Gone already, or being removed by someone else.
                guard error.isNotFound || error.isConflict else { throw error }
            }
        }
    }

    private static let role = "probe"

    private func make(_ id: String) async throws -> String {
        let suffix = id.split(separator: ":").last.map { String($0.prefix(12)) } ?? id
        let request = ContainerCreate(
            config: ContainerConfig(
                image: id,
                command: ["true"],
                labels: [
                    Labels.managedBy: "bottle", Labels.installation: installation, Labels.role: Self.role,
                ]
            ),
            hostConfig: HostConfig(networkMode: "none")
        )
        let name = "bottle-probe-\(installation.prefix(8))-\(suffix)"
        do {
            return try await engine.createContainer(name: name, request).id
        } catch {
            // One that was killed looked into the same image: its probe is as good.
            guard error.isConflict, let found = try? await engine.container(name), found.imageID == id else {
                throw error
            }
            return found.id
        }
    }
}
