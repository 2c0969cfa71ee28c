/// The firewall's container with squid: it lets requests out by host name and intercepts nothing.
enum Squid: FirewallProvider {
    static let folder = "/etc/firewall"
    static let interceptsTLS = false
    static let refusalRules = [
        "unlisted-host", "unlisted-port", "not-a-name", "form", "private-address", "unresolved", "sni", "not-tls",
        "crowded",
    ]
    private static let user = 8888
    /// The memory of its programs.
    ///
    /// Squid's bounds keep them below 160 MiB, which their tests measure.
    private static let programMemory: Int64 = 256 << 20
    /// The kernel's memory for its sockets, four for each tunnel: 1.9 GB were seen when 384 tunnels carry data that is
    /// never read.
    private static let socketMemory: Int64 = 2 << 30

    static func container(_ input: RenderInput, _ topology: Topology) throws -> DesiredContainer {
        let manifest = input.manifest
        let client = topology.networks(of: .firewall)[0]
        var spec = ContainerSpec(
            environment: environment(
                listeningAt: try input.address(of: .firewall, on: client),
                egress: manifest.egress
            ),
            mounts: Hardening.mounts(manifest.identity, .firewall, folder: folder),
            memoryFolders: Hardening.memoryFolders,
            extraHosts: manifest.egress.hostEntries
        )
        spec.kernelParameters = Hardening.noRouter
        let permissions = Firewall.permissions(of: manifest)
        var container = try input.container(
            .firewall,
            topology: topology,
            spec: spec,
            // Control groups of version 2 count the sockets to the container, those of version 1 don't.
            limits: Resources(milliCPUs: 2000, memory: programMemory + socketMemory, pids: 128),
            files: [allowlist(permissions)]
        )
        container.reload = .signal
        container.confirmation = .link
        container.withdrawal = .restart
        container.permissions = permissions
        return container
    }

    static func environment(listeningAt address: IPv4Address, egress: EgressSpec) -> [String: String] {
        [
            "BOTTLE_LISTEN": "\(address):\(Firewall.port)",
            "BOTTLE_PRIVATE": egress.privateRanges.map(\.description).sorted().joined(separator: " "),
            "BOTTLE_EXTRA_HOSTS": egress.extraHosts.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " "),
        ]
    }

    /// The file of permissions.
    static func allowlist(_ permissions: [String]) -> DesiredFile {
        DesiredFile(
            path: "\(folder)/allowlist",
            content: Array(permissions.map { "\($0)\n" }.joined().utf8),
            owner: user,
            group: user,
            isReloadable: true
        )
    }
}
