package import ReconcilerEngine
package import ReconcilerModel

extension DesiredContainer {
    /// The request that makes this container: hardened, on its first network, with its secrets' values.
    ///
    /// - Parameter networks: the engine's ids. (20.10 takes them in place of names, and still shows the names.)
    /// - Throws: `BottleError` `secret-unavailable` when a value is missing; `image-missing` without an image id.
    package func request(
        identity: Identity,
        installation: InstallationID,
        networks: [NetworkRole: NetworkID],
        secrets: [String: SecretValue]
    ) throws -> ContainerCreate {
        guard let imageID, let specHash else {
            throw BottleError(.imageMissing, "the image \(reference) is not there", at: name)
        }
        var variables = spec.environment
        for variable in spec.secrets {
            guard let value = secrets[variable.secret] else {
                throw BottleError(
                    .secretUnavailable,
                    "the secret \(variable.secret) has no value",
                    at: name,
                    remedy: "set the environment variable \(variable.secret), or name its source in the settings"
                )
            }
            variables[variable.name] = value.exposed
        }
        let config = ContainerConfig(
            image: imageID,
            user: spec.user,
            environment: variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" },
            command: spec.command.isEmpty ? nil : spec.command,
            workingFolder: spec.workingFolder,
            labels: Labels.of(identity, role: role.rawValue, installation: installation, specHash: specHash),
            tty: spec.hasTerminal,
            openInput: spec.hasTerminal,
            hostname: "\(identity)",
            stopTimeout: spec.stopSeconds
        )
        let first = endpoints.first
        let mode = first.flatMap { networks[$0.network]?.text }
        return ContainerCreate(
            config: config,
            hostConfig: hostConfig(networkMode: mode),
            endpoints: first.flatMap { endpoint in mode.map { [$0: endpoint.request] } } ?? [:]
        )
    }

    private func hostConfig(networkMode: String?) -> HostConfig {
        HostConfig(
            networkMode: networkMode ?? "none",
            initProcess: spec.hasInit,
            runtime: spec.runtime,
            dropCapabilities: ["ALL"],
            securityOptions: ["no-new-privileges"],
            isPrivileged: false,
            readOnlyRoot: spec.isRootReadOnly,
            memory: limits.memory,
            // Equal to `memory`: no swap.
            memorySwap: limits.memory,
            nanoCPUs: limits.milliCPUs.map { Int64($0) * 1_000_000 },
            pidsLimit: limits.pids.map(Int64.init),
            ulimits: spec.ulimits.map { .init(name: $0.name, soft: Int64($0.soft), hard: Int64($0.hard)) },
            logging: .init(
                type: "json-file",
                options: ["max-size": "\(spec.logBytes)", "max-file": "\(spec.logFiles)"]
            ),
            restartPolicy: .init(name: "no"),
            mounts: spec.mounts.map { Mount(type: .volume, source: $0.volume, target: $0.target) }
                + (spec.hostFolders ?? []).map { folder in
                    Mount(
                        type: .bind,
                        source: folder.source,
                        target: folder.target,
                        isReadOnly: folder.isReadOnly,
                        bindOptions: .init(propagation: "rprivate")
                    )
                },
            tmpfs: spec.memoryFolders.isEmpty ? nil : spec.memoryFolders,
            dns: spec.resolvers.isEmpty ? nil : spec.resolvers,
            dnsOptions: spec.resolverOptions.isEmpty ? nil : spec.resolverOptions,
            extraHosts: spec.extraHosts.isEmpty ? nil : spec.extraHosts,
            sysctls: spec.kernelParameters
        )
    }
}

extension DesiredContainer.Endpoint {
    /// The request for this endpoint.
    var request: EndpointCreate { EndpointCreate(ipv4: address?.description, aliases: aliases) }
}

extension DesiredNetwork {
    /// The request that makes this network.
    func request(identity: Identity, installation: InstallationID) -> NetworkCreate {
        NetworkCreate(
            name: name,
            isInternal: isInternal,
            enableIPv6: false,
            ipam: IPAM(pools: subnet.map { [.init(subnet: $0.description)] } ?? []),
            options: options,
            labels: Labels.of(identity, role: role.rawValue, installation: installation, specHash: specHash)
        )
    }
}
