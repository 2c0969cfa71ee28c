/// The agent's container: no credential, one way out, its home on a volume that outlives it.
package enum Agent {
    package static let folder = "/etc/bottle"

    static func container(_ input: RenderInput, _ topology: Topology) throws -> DesiredContainer {
        let agent = input.manifest.agent
        let home = try home(input)
        var spec = ContainerSpec(
            command: agent.command,
            user: agent.user,
            environment: environment(input.manifest, topology),
            stopSeconds: 10
        )
        if let home {
            spec.mounts = [.init(volume: Names.volume(input.manifest.identity, "home"), target: home)]
            spec.environment["HOME"] = home
        }
        spec.hasTerminal = true
        spec.hasInit = true
        spec.isRootReadOnly = false
        spec.runtime = agent.runtime
        spec.ulimits = [.init(name: "core", soft: 0, hard: 0), .init(name: "nofile", soft: 16_384, hard: 16_384)]
        spec.resolveNothingOutside()

        var limits = agent.resources
        limits.pids = limits.pids ?? 1024
        var container = try input.container(
            .agent,
            topology: topology,
            spec: spec,
            limits: limits,
            files: try files(input, topology),
            isSpecKnown: home != nil
        )
        container.restart = agent.restart
        let user = agent.user ?? input.agentFacts?.user ?? ""
        if let home, let owner = input.agentFacts?.owner(user.isEmpty ? "root" : user) {
            container.home = .init(path: home, owner: owner)
        }
        if let home, input.manifest.supervise {
            container.setup = .init(
                command: [
                    "claude", "mcp", "add", "--scope", "user", "--transport", "http", "supervise", Supervise.url,
                ],
                marker: "\(home)/.bottle-supervise"
            )
        }
        return container
    }

    /// The home folder: the manifest's, or that of the user in the image's /etc/passwd; nil while that isn't known.
    private static func home(_ input: RenderInput) throws -> String? {
        let agent = input.manifest.agent
        if let home = agent.home { return try suitable(home, "spec.agent.home") }
        guard let facts = input.agentFacts else { return nil }
        let user = agent.user ?? facts.user
        guard let account = facts.account(user.isEmpty ? "root" : user), account.home.hasPrefix("/"),
            account.home != "/"
        else {
            throw BottleError(
                .homeUnknown,
                "the image's /etc/passwd names no home folder for user '\(user.isEmpty ? "root" : user)'",
                at: "spec.agent",
                remedy: "set `home:` to the agent's home folder, or `user:` to a user of the image"
            )
        }
        return try suitable(account.home, "spec.agent")
    }

    /// Folders of the image's system: a volume over or inside one would break it.
    private static let systemFolders = [
        "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/run", "/sbin", "/sys",
        "/tmp", "/usr", "/var/run",
    ]

    /// `home`, if a volume can be mounted there.
    ///
    /// - Throws: `BottleError` `home-unsuitable`.
    private static func suitable(_ home: String, _ place: String) throws -> String {
        let parts = home.split(separator: "/", omittingEmptySubsequences: false)
        let isNormal =
            home.hasPrefix("/") && home.utf8.count <= 1024
            && parts.dropFirst().allSatisfy { !["", ".", ".."].contains($0) }
            && !home.utf8.contains { $0 < 0x20 || $0 == 0x7F }
        guard isNormal else {
            throw BottleError(
                .homeUnsuitable,
                "the home folder '\(home)' is not an absolute path in its plain form",
                at: place,
                remedy: "set `home:` to a path such as /home/agent, without '.', '..' or a '/' too many"
            )
        }
        if let folder = systemFolders.first(where: { "\(home)/".hasPrefix("\($0)/") || $0.hasPrefix("\(home)/") }) {
            throw BottleError(
                .homeUnsuitable,
                "the home folder '\(home)' is mounted as a volume and would overlap with the system's \(folder)",
                at: place,
                remedy: "set `home:` to a folder of the agent's own, such as /home/agent"
            )
        }
        return home
    }

    private static func environment(_ manifest: BottleManifest, _ topology: Topology) -> [String: String] {
        var variables: [String: String] = [:]
        for (name, value) in manifest.agent.environment {
            if case .literal(let text) = value { variables[name] = text }
        }
        if let proxy = topology.facingProxy, let exit = Sidecars[proxy]?.exit(in: manifest) {
            let address = "http://\(proxy.rawValue):\(exit.port)"
            // libcurl reads only the lowercase form of http_proxy; other programs only the uppercase one.
            for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] { variables[name] = address }
            // Without it Node ignores these variables; before 22.21 it ignores both.
            variables["NODE_USE_ENV_PROXY"] = "1"
        }
        let direct = directNames(topology).joined(separator: ",")
        for name in ["NO_PROXY", "no_proxy"] { variables[name] = direct }
        if interceptsTLS(topology, manifest) {
            variables.merge(AgentTrust.defaults) { users, _ in users }
            variables.merge(AgentTrust.variables) { _, ours in ours }
        }
        if manifest.supervise { variables["BOTTLE_SUPERVISE_URL"] = Supervise.url }
        if manifest.agent.prompt != nil { variables["BOTTLE_PROMPT_FILE"] = "\(folder)/prompt.md" }
        if manifest.routes.contains(where: { $0.roles.contains(.claudeCodeOAuth) }) {
            variables.merge(claudeCode) { _, ours in ours }
        }
        return variables
    }

    /// What the agent reaches without a proxy.
    ///
    /// The proxy itself is among them: a program that calls it by its name would do so through it.
    private static func directNames(_ topology: Topology) -> [String] {
        // Two sidecars are named in every bottle: a list that grew with them would recreate each agent.
        let fixed = ["localhost", "127.0.0.1", "::1", "git-gate", "supervise"]
        let others = topology.roles.filter { $0 != .agent && !topology.exits.contains($0) }.map(\.rawValue)
        return fixed + others.filter { !fixed.contains($0) } + [topology.facingProxy?.rawValue].compactMap(\.self)
    }

    /// Whether the agent's TLS ends at the sidecar that it faces.
    private static func interceptsTLS(_ topology: Topology, _ manifest: BottleManifest) -> Bool {
        topology.facingProxy.flatMap { Sidecars[$0]?.exit(in: manifest) }?.interceptsTLS ?? false
    }

    /// What Claude Code needs to run on a credential it doesn't have; the token is a placeholder, not a secret.
    private static let claudeCode = [
        "CLAUDE_CODE_OAUTH_TOKEN": "bottle-placeholder-the-egress-proxy-adds-the-real-one",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_TELEMETRY": "1",
    ]

    private static func files(_ input: RenderInput, _ topology: Topology) throws -> [DesiredFile] {
        var files: [DesiredFile] = []
        if interceptsTLS(topology, input.manifest), let authority = input.authority {
            files += AgentTrust.files(authority: authority.certificate, facts: input.agentFacts)
        }
        if case .text(let prompt) = input.manifest.agent.prompt {
            files.append(DesiredFile(path: "\(folder)/prompt.md", content: Array(prompt.utf8)))
        }
        files += try AgentGuidance.files(input.manifest, image: input.imageDecision)
        return files
    }
}
