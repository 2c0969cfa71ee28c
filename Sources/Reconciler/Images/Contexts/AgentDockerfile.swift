package import ReconcilerModel
package import ReconcilerState

/// The Dockerfile that a bottle's agent is built from, and its replacement.
package struct AgentDockerfile: Sendable {
    /// The image of the manifest itself, without remediations.
    private let declared: AgentImage
    private let present: AgentImage
    private let proposed: String?
    private let contexts: String

    /// - Parameter contexts: where stored copies of build contexts are.
    package init(of state: DesiredState, contexts: String) {
        declared = state.declared.agent.image
        present = state.remedied.manifest.agent.image
        if case .dockerfileReplaced(let replacement) = state.remedied.imageRemediation?.change {
            proposed = replacement.proposed
        } else {
            proposed = nil
        }
        self.contexts = contexts
    }

    /// The Dockerfile in force, as it is built and as it was proposed.
    ///
    /// - Throws: as `text`.
    package func inForce() throws -> PresentDockerfile {
        PresentDockerfile(built: try text(), proposed: proposed)
    }

    /// The text that is built; for an image that is not built here, a text that starts from it.
    ///
    /// - Throws: `BottleError` `context-unreadable`.
    package func text() throws -> String {
        switch present {
        case .reference(let reference): "FROM \(reference.text)\n"
        case .build(let source): try context(of: source).text(at: source.dockerfile)
        }
    }

    /// The change that replaces the manifest's image by one built from `text`, with the context of the image in force.
    ///
    /// The context is stored before this returns. Until a commit refers to it, it is unused and harmless.
    /// - Throws: `BottleError` `context-unreadable`, `state-unwritable`.
    package func replaced(by text: String) throws -> DockerfileReplacement {
        let path: String
        let context: BuildContext
        switch present {
        case .reference:
            path = "Dockerfile"
            context = try BuildContext([:]).replacing(path, with: text)
        case .build(let source):
            path = source.dockerfile
            context = try self.context(of: source).replacing(path, with: text)
        }
        try context.keep(in: contexts)
        return DockerfileReplacement(
            dockerfile: text,
            context: context.digest,
            path: path,
            replaces: declared.origin
        )
    }

    private func context(of source: BuildSource) throws -> BuildContext {
        guard let pinned = source.pinned else {
            throw BottleError(.notResolved, "the build context is not pinned", at: source.context)
        }
        return BuildContext(storedIn: "\(contexts)/\(pinned)", digest: pinned)
    }
}
