/// The supervise sidecar: it takes an agent's proposals.
package enum Supervise: Sidecar {
    package static let role = Role.supervise
    package static let port = 9100
    /// The URL for the agent.
    package static let url = "http://supervise:\(port)/mcp"
    /// The folder of its queue in the container.
    package static let queueFolder = "/queue"

    package static let runsThisProgram = true

    package static func isNeeded(by manifest: BottleManifest) -> Bool { manifest.supervise }

    package static func container(_ input: RenderInput, _ topology: Topology) throws -> DesiredContainer {
        guard let folders = input.supervision else {
            throw BottleError(
                .superviseRemote,
                "`supervise` needs folders of this machine, and the engine is on another one",
                at: "spec.supervise",
                remedy: "remove `supervise: true`, or use an engine that answers on a unix:// socket of this machine"
            )
        }
        let identity = input.manifest.identity
        var spec = ContainerSpec(
            command: [
                "--listen", "\(try input.address(of: .supervise, on: .internal)):\(port)",
                "--queue", queueFolder,
            ],
            // Its files belong to the user who runs bottle.
            user: folders.user,
            mounts: [.init(volume: Names.volume(identity, Hardening.runVolume(of: role)), target: Hardening.runFolder)]
        )
        spec.hostFolders = [
            .init(source: "\(folders.queue)/in", target: "\(queueFolder)/in", isReadOnly: false),
            .init(source: "\(folders.queue)/out", target: "\(queueFolder)/out", isReadOnly: true),
        ]
        spec.kernelParameters = Hardening.noRouter
        spec.resolveNothingOutside()
        var container = try input.container(
            .supervise,
            topology: topology,
            spec: spec,
            limits: Resources(milliCPUs: 1000, memory: 256 << 20, pids: 64),
            files: []
        )
        container.reload = .signal
        // It has nothing to load, so nothing is waited for.
        container.confirmation = .link
        return container
    }
}

/// The folders of the host that a bottle's supervise sidecar uses.
package struct Supervision: Sendable, Hashable {
    /// The bottle's queue folder, with `in` and `out`.
    package var queue: String
    /// Its owner: `uid:gid`.
    package var user: String

    package init(queue: String, user: String) {
        self.queue = queue
        self.user = user
    }
}
