import ReconcilerModel

extension Resolution {
    /// Makes the workspace's path absolute, and refuses one whose mount would let the agent change its own confinement.
    ///
    /// Call it last: it checks against the inputs that the other parts named.
    mutating func resolveWorkspace(_ agent: inout AgentSpec) {
        guard agent.workspace.mode != .none, let written = agent.workspace.path else { return }
        let position = bottle.agent.descend([.key("workspace"), .key("path")]).position
        guard let path = absolute(written, folder: bottle.agentFolder, at: position),
            exists(path, .folder, noun: "workspace folder", at: position)
        else { return }
        agent.workspace.path = path
        guard agent.workspace.mode == .mount else { return }
        let workspace = HostFiles.resolved(path) ?? path
        for (input, noun) in guarded() {
            let real = Self.real(input)
            let isInside = Self.cages.contains(noun) && HostPath.lies(workspace, within: real)
            guard HostPath.lies(real, within: workspace) || isInside else { continue }
            findings.error(
                "workspace-holds-cage",
                HostPath.lies(real, within: workspace)
                    ? "the mounted workspace '\(path)' holds \(noun), '\(input)': the agent could change its own cage"
                    : "the mounted workspace '\(path)' lies in \(noun), '\(input)': the agent could change its own cage",
                at: position,
                suggestion: "move it out of the workspace, or use 'mode: copy'"
            )
        }
    }

    /// Nouns of inputs that a mounted workspace may not lie in either; all others it only may not contain.
    private static let cages: Set<String> = ["a build context", "the state folder", "'.ssh'", "a skill"]

    private func guarded() -> [(path: String, noun: String)] {
        var all = inputs
        // The file's name may be relative to another folder than the source's.
        if let folder = bottle.folder, bottle.file != "<stdin>" {
            all.append((folder + "/" + Self.lastPart(bottle.file), "the manifest"))
        }
        if let folder = bottle.agentFolder, let file = bottle.agentFile, file != "<stdin>" {
            all.append((folder + "/" + Self.lastPart(file), "the agent's manifest"))
        }
        if let state = resolver.stateFolder { all.append((state, "the state folder")) }
        if let store = resolver.contextStore { all.append((store, "the state folder")) }
        all.append((resolver.home, "the home folder"))
        all.append((resolver.home + "/.ssh", "'.ssh'"))
        all += resolver.engineSockets.map { ($0, "an engine's socket") }
        return all
    }

    private static func lastPart(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    /// `path` with links resolved, as far as it exists.
    static func real(_ path: String) -> String {
        if let real = HostFiles.resolved(path) { return real }
        let normal = HostPath.normal(path)
        guard normal != "/" else { return normal }
        let parent = real(HostPath.parent(of: normal))
        return (parent == "/" ? "" : parent) + "/" + lastPart(normal)
    }
}
