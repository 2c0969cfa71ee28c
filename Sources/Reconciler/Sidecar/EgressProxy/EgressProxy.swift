/// The egress-proxy sidecar: the agent's HTTP proxy, which terminates TLS, checks requests and adds credentials.
package enum EgressProxy: Sidecar {
    package static let role = Role.egressProxy
    package static let port = 9099
    package static let folder = "/etc/egress-proxy"
    private static let user = 9099
    /// The memory of the program.
    ///
    /// Its own bounds keep it below three quarters of that, which its tests measure.
    private static let programMemory: Int64 = 512 << 20
    /// The kernel's memory for its sockets: 825 MB were seen when 480 connections are sent data that is never read.
    private static let socketMemory: Int64 = 768 << 20

    package static let refusalRules = [
        "identity", "host", "port", "path", "method", "git-push", "upgrade", "tls", "header", "version", "no-table",
        "internal", "malformed", "firewall", "upstream", "grant-expired", "grant-used-up", "grant-uncounted",
    ]

    /// The count of the uses of grants: a grant must not get new uses when its route goes and comes back.
    package static let preciousVolumes = [Hardening.runVolume(of: role)]

    package static func isNeeded(by manifest: BottleManifest) -> Bool { !manifest.routes.isEmpty }

    package static func exit(in manifest: BottleManifest) -> Exit? { Exit(rank: 1, port: port, interceptsTLS: true) }

    package static func container(_ input: RenderInput, _ topology: Topology) throws -> DesiredContainer {
        let manifest = input.manifest
        let behindFirewall = topology.roles.contains(.firewall)
        var environment = ["BOTTLE_LISTEN": "\(try input.address(of: .egressProxy, on: .internal)):\(port)"]
        if behindFirewall {
            environment["BOTTLE_UPSTREAM"] =
                "http://\(try input.address(of: .firewall, on: .link)):\(Firewall.port)"
        }
        var spec = ContainerSpec(
            environment: environment,
            secrets: manifest.secrets.map { secret in
                ContainerSpec.SecretVariable(
                    name: RoutesTable.slot(for: secret),
                    secret: secret.name,
                    fingerprint: input.fingerprints[secret] ?? ""
                )
            },
            mounts: Hardening.mounts(manifest.identity, .egressProxy, folder: folder),
            memoryFolders: Hardening.memoryFolders,
            extraHosts: behindFirewall ? [] : manifest.egress.hostEntries
        )
        spec.hasInit = true
        spec.kernelParameters = Hardening.noRouter
        if behindFirewall { spec.resolveNothingOutside() }

        let table = RoutesTable(routes: manifest.routes, allowlist: manifest.egress.allowlist)
        var files = [
            DesiredFile(
                path: "\(folder)/routes.yaml",
                content: try table.content(),
                owner: user,
                group: user,
                isReloadable: true
            ),
            DesiredFile(
                path: "\(folder)/upstream-roots.pem",
                content: Array(manifest.egress.trust.compactMap(\.pem).joined(separator: "\n").utf8),
                owner: user,
                group: user
            ),
        ]
        if let authority = input.authority {
            files.append(
                DesiredFile(
                    path: "\(folder)/ca.pem",
                    content: Array((authority.key + "\n" + authority.certificate).utf8),
                    mode: 0o400,
                    owner: user,
                    group: user
                )
            )
        }
        var container = try input.container(
            .egressProxy,
            topology: topology,
            spec: spec,
            // Control groups of version 2 count the sockets to the container, those of version 1 don't.
            limits: Resources(milliCPUs: 2000, memory: programMemory + socketMemory, pids: 128),
            files: files
        )
        container.reload = .signal
        container.confirmation = .link
        return container
    }
}

extension TrustRoot {
    /// The certificates, once resolved.
    package var pem: String? {
        guard case .pem(let text) = self else { return nil }
        return text
    }
}

extension EgressSpec {
    /// Fixed names in the form the engine takes, sorted.
    package var hostEntries: [String] { extraHosts.map { "\($0.key):\($0.value)" }.sorted() }
}
