import ReconcilerModel

/// The state while one manifest is resolved.
struct Resolution {
    let bottle: LocatedBottle
    let resolver: ManifestResolver
    var findings = Findings()
    /// Absolute paths of everything on the host that the manifest is made from, with a noun for each.
    var inputs: [(path: String, noun: String)] = []

    private var pending: (context: AuthoredContext, position: SourcePosition)?

    static let promptLimit = 1 << 20
    static let trustLimit = 1 << 20

    init(bottle: LocatedBottle, resolver: ManifestResolver) {
        self.bottle = bottle
        self.resolver = resolver
    }

    mutating func run() -> BottleManifest {
        var manifest = bottle.manifest
        resolvePrompt(&manifest.agent)
        resolveEnvironment(&manifest.agent)
        resolveSkills(&manifest.agent)
        resolveTrust(&manifest.egress)
        resolveGit(&manifest)
        resolveBuild(&manifest.agent)
        resolveWorkspace(&manifest.agent)
        keepContext()
        return manifest
    }

    // MARK: Agent

    private mutating func resolvePrompt(_ agent: inout AgentSpec) {
        guard case .file(let written) = agent.prompt else { return }
        let position = bottle.agent.descend([.key("prompt"), .key("file")]).position
        guard let path = absolute(written, folder: bottle.agentFolder, at: position) else { return }
        inputs.append((path, "the prompt"))
        guard let text = text(of: path, limit: Self.promptLimit, noun: "prompt", at: position) else { return }
        agent.prompt = .text(text)
    }

    private mutating func resolveEnvironment(_ agent: inout AgentSpec) {
        for (name, value) in agent.environment {
            guard case .fromHost(let source) = value else { continue }
            let position = bottle.agent.descend([.key("env"), .key(name), .key("from_host")]).position
            guard let found = resolver.environment[source] else {
                findings.error(
                    "missing-variable",
                    "your environment has no variable '\(source)'",
                    at: position,
                    suggestion: "set it (\(source)=… bottle apply …), or write the value"
                )
                continue
            }
            agent.environment[name] = .literal(found)
        }
    }

    private mutating func resolveSkills(_ agent: inout AgentSpec) {
        for (index, written) in agent.skills.enumerated() {
            let position = bottle.agent.descend([.key("skills"), .index(index)]).position
            guard let path = absolute(written, folder: bottle.agentFolder, at: position) else { continue }
            inputs.append((path, "a skill"))
            guard exists(path, .folder, noun: "skill folder", at: position) else { continue }
            agent.skills[index] = path
        }
    }

    private mutating func resolveBuild(_ agent: inout AgentSpec) {
        // A pin without its folder belongs to a manifest that was already resolved.
        guard case .build(var source) = agent.image, source.pinned == nil else { return }
        let position = bottle.agent.descend([.key("build"), .key("context")]).position
        guard let path = absolute(source.context, folder: bottle.agentFolder, at: position) else { return }
        inputs.append((path, "a build context"))
        guard exists(path, .folder, noun: "build context", at: position) else { return }
        let root = HostFiles.resolved(path) ?? path
        let dockerfile = root + "/" + source.dockerfile
        let dockerfilePosition = bottle.agent.descend([.key("build"), .key("dockerfile")]).position
        guard exists(dockerfile, .file, noun: "Dockerfile", at: dockerfilePosition) else { return }
        do {
            let context = try AuthoredContext(root: root, dockerfile: source.dockerfile)
            pending = (context, position)
            source.context = path
            source.pinned = context.listing.digest
            agent.image = .build(source)
        } catch {
            findings.error(
                "build-context",
                "the build context can't be read: \(error)",
                at: position,
                suggestion: "a .dockerignore file leaves out what the image does not need"
            )
        }
    }

    /// Copies the build context.
    ///
    /// The last step, so that a refused manifest writes nothing.
    private mutating func keepContext() {
        guard let pending, let store = resolver.contextStore, !findings.hasErrors else { return }
        do {
            try pending.context.keep(in: store)
        } catch {
            findings.error("build-context", "the build context can't be kept: \(error)", at: pending.position)
        }
    }

    // MARK: Egress and git

    private mutating func resolveTrust(_ egress: inout EgressSpec) {
        for (index, root) in egress.trust.enumerated() {
            guard case .file(let written) = root else { continue }
            let position = bottle.spec.descend([.key("egress"), .key("trust"), .index(index)]).position
            guard let path = absolute(written, folder: bottle.folder, at: position) else { continue }
            inputs.append((path, "a trusted certificate"))
            guard let text = text(of: path, limit: Self.trustLimit, noun: "certificate file", at: position) else {
                continue
            }
            if let problem = CertificateText.problem(text) {
                findings.error("invalid-certificate", "'\(written)' can't be trusted: \(problem)", at: position)
                continue
            }
            egress.trust[index] = .pem(text)
        }
    }

    private mutating func resolveGit(_ manifest: inout BottleManifest) {
        for (index, remote) in manifest.git.enumerated() {
            let entry = bottle.spec.descend([.key("git"), .index(index)])
            let position = entry.descend([.key("identity_file")]).position
            if let path = absolute(remote.identityFile, folder: bottle.folder, at: position) {
                inputs.append((path, "a private key"))
                if exists(path, .file, noun: "private key", at: position) { manifest.git[index].identityFile = path }
            }
            guard remote.knownHostKey == nil, let upstream = try? GitUpstream(remote.upstream) else { continue }
            let file = resolver.knownHosts ?? resolver.home + "/.ssh/known_hosts"
            let text = (try? HostFiles.read(file, limit: 16 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            if let key = KnownHosts(text).key(of: upstream.host, port: upstream.port) {
                manifest.git[index].knownHostKey = key
            } else {
                findings.error(
                    "unknown-host-key",
                    "\(entry.path) has no 'known_host_key', and \(file) has no key of '\(upstream.host)' port \(upstream.port)",
                    at: entry.keyPosition("upstream"),
                    suggestion: "add 'known_host_key', taken from the host's owner"
                )
            }
        }
    }

    // MARK: Files

    /// `written` as an absolute path; nil, with a finding, if it can't be resolved.
    mutating func absolute(_ written: String, folder: String?, at position: SourcePosition) -> String? {
        if let path = HostPath.absolute(written, folder: folder, home: resolver.home) { return path }
        findings.error(
            "invalid-path",
            written.hasPrefix("~")
                ? "\(quoted(written)): only '~/' stands for a home folder"
                : "\(quoted(written)) is relative to no folder",
            at: position,
            suggestion: "write an absolute path"
        )
        return nil
    }

    /// Whether a `kind` exists at `path`; reports it if not.
    mutating func exists(_ path: String, _ kind: FileKind, noun: String, at position: SourcePosition) -> Bool {
        do {
            let status = try HostFiles.status(path)
            if status?.kind == kind { return true }
            let message = status == nil ? "there is no \(noun) at '\(path)'" : "'\(path)' is not a \(noun)"
            findings.error(
                "no-such-file",
                message,
                at: position,
                suggestion: "paths are relative to the manifest's folder"
            )
        } catch {
            findings.error("unreadable", "the \(noun) '\(path)' can't be looked at: \(error.reason)", at: position)
        }
        return false
    }

    private mutating func text(of path: String, limit: Int, noun: String, at position: SourcePosition) -> String? {
        guard exists(path, .file, noun: noun, at: position) else { return nil }
        do {
            let bytes = try HostFiles.read(path, limit: limit)
            guard let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains("\0") else {
                findings.error("not-utf8", "the \(noun) '\(path)' is not UTF-8 text", at: position)
                return nil
            }
            return text
        } catch {
            findings.error("unreadable", "the \(noun) '\(path)' can't be read: \(error.reason)", at: position)
            return nil
        }
    }
}
