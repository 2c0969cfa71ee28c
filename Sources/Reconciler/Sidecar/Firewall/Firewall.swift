/// The squid firewall's container: what leaves the bottle leaves through it, by host name.
package enum Firewall {
    package static let port = 8888
    package static let folder = "/etc/firewall"
    private static let user = 8888
    /// What its programs may take: they keep within 160 MiB by squid's bounds, which their tests measure.
    private static let programMemory: Int64 = 256 << 20
    /// What the kernel holds for its sockets, four to a tunnel, when 384 tunnels carry what nobody reads: 1.9 GB were
    /// seen.
    private static let socketMemory: Int64 = 2 << 30

    static func container(_ input: RenderInput, _ topology: Topology) throws -> DesiredContainer {
        let manifest = input.manifest
        let client = topology.networks(of: .firewall)[0]
        var spec = ContainerSpec(
            environment: environment(
                listeningAt: try input.address(of: .firewall, on: client),
                egress: manifest.egress
            ),
            mounts: Sidecar.mounts(manifest.identity, .firewall, folder: folder),
            memoryFolders: ["/tmp": "rw,nosuid,nodev,noexec,size=64m"],
            extraHosts: manifest.egress.hostEntries
        )
        spec.kernelParameters = Sidecar.noRouter
        let permissions = permissions(of: manifest)
        return try input.container(
            .firewall,
            topology: topology,
            spec: spec,
            // Control groups of version 2 count the sockets to the container, those of version 1 don't.
            limits: Resources(milliCPUs: 2000, memory: programMemory + socketMemory, pids: 128),
            files: [allowlist(permissions)],
            reload: .signal,
            permissions: permissions
        )
    }

    static func environment(listeningAt address: IPv4Address, egress: EgressSpec) -> [String: String] {
        [
            "BOTTLE_LISTEN": "\(address):\(port)",
            "BOTTLE_PRIVATE": egress.privateRanges.map(\.description).sorted().joined(separator: " "),
            "BOTTLE_EXTRA_HOSTS": egress.extraHosts.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " "),
        ]
    }

    /// The file with what is let out.
    static func allowlist(_ permissions: [String]) -> DesiredFile {
        DesiredFile(
            path: "\(folder)/allowlist",
            content: Array(permissions.map { "\($0)\n" }.joined().utf8),
            owner: user,
            group: user,
            isReloadable: true
        )
    }

    /// What the firewall lets out, one `pattern port` each, sorted: the routes' hosts and the allowlist.
    package static func permissions(of manifest: BottleManifest) -> [String] {
        let routes = manifest.routes.map { "\($0.host) \($0.port)" }
        let hosts = manifest.egress.allowlist.map { "\($0) 443" }
        return Set(routes + hosts).sorted()
    }
}
