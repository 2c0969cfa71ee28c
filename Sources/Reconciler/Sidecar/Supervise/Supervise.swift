/// The supervise sidecar's container: where an agent asks for what it may not do.
package enum Supervise {
    package static let port = 9100
    /// Where the agent finds it.
    package static let url = "http://supervise:\(port)/mcp"
    /// Where its queue is, in the container.
    package static let queueFolder = "/queue"

    static func container(_ input: RenderInput, _ topology: Topology) throws -> DesiredContainer {
        guard let place = input.supervision else {
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
            // Its files belong to whoever runs bottle.
            user: place.user,
            mounts: [.init(volume: Names.volume(identity, "\(Role.supervise.rawValue)-run"), target: Sidecar.runFolder)]
        )
        spec.hostFolders = [
            .init(source: "\(place.queue)/in", target: "\(queueFolder)/in", isReadOnly: false),
            .init(source: "\(place.queue)/out", target: "\(queueFolder)/out", isReadOnly: true),
        ]
        spec.kernelParameters = Sidecar.noRouter
        spec.resolveNothingOutside()
        return try input.container(
            .supervise,
            topology: topology,
            spec: spec,
            limits: Resources(milliCPUs: 1000, memory: 256 << 20, pids: 64),
            files: [],
            reload: .signal,
            permissions: []
        )
    }
}

/// What of the host a bottle's supervise sidecar works on.
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
