package import ReconcilerModel

/// Turns an authored manifest into one that stands alone (SPEC 3, *Resolved*).
///
/// Reads the files that the manifest names, from the person's folders, and writes only copies of build contexts below
/// `contextStore`, or nothing without one: each whole or not at all, named by its digest, so a death in between leaves nothing half and a
/// second run the same.
package struct ManifestResolver: Sendable {
    /// The home folder that `~` stands for.
    package var home: String
    /// The environment of the person who applies.
    package var environment: [String: String]
    /// Folder for copies of build contexts: `<contextStore>/<digest>/…`; nil stores nothing, for showing a plan.
    package var contextStore: String?
    /// The tool's state folder, which no workspace may hold.
    package var stateFolder: String?
    /// Sockets of engines, which no workspace may hold.
    package var engineSockets: [String]
    /// The user's known_hosts; nil: `~/.ssh/known_hosts`.
    package var knownHosts: String?

    package init(
        home: String,
        environment: [String: String],
        contextStore: String?,
        stateFolder: String? = nil,
        engineSockets: [String] = ["/var/run/docker.sock", "/run/docker.sock"],
        knownHosts: String? = nil
    ) {
        self.home = home
        self.environment = environment
        self.contextStore = contextStore
        self.stateFolder = stateFolder
        self.engineSockets = engineSockets
        self.knownHosts = knownHosts
    }

    /// Resolves `bottle`.
    ///
    /// - Returns: the manifest, whose `unresolved` is empty, and what is wrong; nil when anything is.
    package func resolve(_ bottle: LocatedBottle) -> (manifest: BottleManifest?, diagnostics: [Diagnostic]) {
        var resolution = Resolution(bottle: bottle, resolver: self)
        let manifest = resolution.run()
        let findings = resolution.findings
        return (findings.hasErrors ? nil : manifest, findings.ordered(files: [bottle.file]))
    }
}

/// One manifest being resolved.
struct Resolution {
    let bottle: LocatedBottle
    let resolver: ManifestResolver
    var findings = Findings()
    /// Absolute paths of everything on the host that the manifest is made from, with what each is.
    var inputs: [(path: String, noun: String)] = []

    private var pending: (context: AuthoredContext, place: Place)?

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
        let place = bottle.agent.descend([.key("prompt"), .key("file")]).place
        guard let path = absolute(written, folder: bottle.agentFolder, at: place) else { return }
        inputs.append((path, "the prompt"))
        guard let text = text(of: path, limit: Self.promptLimit, noun: "prompt", at: place) else { return }
        agent.prompt = .text(text)
    }

    private mutating func resolveEnvironment(_ agent: inout AgentSpec) {
        for (name, value) in agent.environment {
            guard case .fromHost(let source) = value else { continue }
            let place = bottle.agent.descend([.key("env"), .key(name), .key("from_host")]).place
            guard let found = resolver.environment[source] else {
                findings.error(
                    "missing-variable",
                    "your environment has no variable '\(source)'",
                    at: place,
                    suggestion: "set it (\(source)=… bottle apply …), or write the value"
                )
                continue
            }
            agent.environment[name] = .literal(found)
        }
    }

    private mutating func resolveSkills(_ agent: inout AgentSpec) {
        for (index, written) in agent.skills.enumerated() {
            let place = bottle.agent.descend([.key("skills"), .index(index)]).place
            guard let path = absolute(written, folder: bottle.agentFolder, at: place) else { continue }
            inputs.append((path, "a skill"))
            guard exists(path, .folder, noun: "skill folder", at: place) else { continue }
            agent.skills[index] = path
        }
    }

    private mutating func resolveBuild(_ agent: inout AgentSpec) {
        // A pin without its folder is a manifest that was resolved before.
        guard case .build(var source) = agent.image, source.pinned == nil else { return }
        let place = bottle.agent.descend([.key("build"), .key("context")]).place
        guard let path = absolute(source.context, folder: bottle.agentFolder, at: place) else { return }
        inputs.append((path, "a build context"))
        guard exists(path, .folder, noun: "build context", at: place) else { return }
        let root = HostFiles.resolved(path) ?? path
        let dockerfile = root + "/" + source.dockerfile
        let dockerfilePlace = bottle.agent.descend([.key("build"), .key("dockerfile")]).place
        guard exists(dockerfile, .file, noun: "Dockerfile", at: dockerfilePlace) else { return }
        do {
            let context = try AuthoredContext(root: root, dockerfile: source.dockerfile)
            pending = (context, place)
            source.context = path
            source.pinned = context.listing.digest
            agent.image = .build(source)
        } catch {
            findings.error(
                "build-context",
                "the build context can't be read: \(error)",
                at: place,
                suggestion: "a .dockerignore file leaves out what the image does not need"
            )
        }
    }

    /// Keeps the copy of the build context; the last step, so that nothing is written for a manifest that is refused.
    private mutating func keepContext() {
        guard let pending, let store = resolver.contextStore, !findings.hasErrors else { return }
        do {
            try pending.context.keep(in: store)
        } catch {
            findings.error("build-context", "the build context can't be kept: \(error)", at: pending.place)
        }
    }

    // MARK: Egress and git

    private mutating func resolveTrust(_ egress: inout EgressSpec) {
        for (index, root) in egress.trust.enumerated() {
            guard case .file(let written) = root else { continue }
            let place = bottle.spec.descend([.key("egress"), .key("trust"), .index(index)]).place
            guard let path = absolute(written, folder: bottle.folder, at: place) else { continue }
            inputs.append((path, "a trusted certificate"))
            guard let text = text(of: path, limit: Self.trustLimit, noun: "certificate file", at: place) else {
                continue
            }
            if let problem = CertificateText.problem(text) {
                findings.error("invalid-certificate", "'\(written)' can't be trusted: \(problem)", at: place)
                continue
            }
            egress.trust[index] = .pem(text)
        }
    }

    private mutating func resolveGit(_ manifest: inout BottleManifest) {
        for (index, remote) in manifest.git.enumerated() {
            let entry = bottle.spec.descend([.key("git"), .index(index)])
            let place = entry.descend([.key("identity_file")]).place
            if let path = absolute(remote.identityFile, folder: bottle.folder, at: place) {
                inputs.append((path, "a private key"))
                if exists(path, .file, noun: "private key", at: place) { manifest.git[index].identityFile = path }
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
                    at: entry.keyPlace("upstream"),
                    suggestion: "add 'known_host_key', taken from the host's owner"
                )
            }
        }
    }

    // MARK: Files

    /// `written` as an absolute path; nil, with a finding, when it has no meaning.
    mutating func absolute(_ written: String, folder: String?, at place: Place) -> String? {
        if let path = HostPath.absolute(written, folder: folder, home: resolver.home) { return path }
        findings.error(
            "invalid-path",
            written.hasPrefix("~")
                ? "\(quoted(written)): only '~/' stands for a home folder"
                : "\(quoted(written)) is relative to no folder",
            at: place,
            suggestion: "write an absolute path"
        )
        return nil
    }

    /// Whether there is a `kind` at `path`; reports it otherwise.
    mutating func exists(_ path: String, _ kind: FileKind, noun: String, at place: Place) -> Bool {
        do {
            let status = try HostFiles.status(path)
            if status?.kind == kind { return true }
            let message = status == nil ? "there is no \(noun) at '\(path)'" : "'\(path)' is not a \(noun)"
            findings.error(
                "no-such-file",
                message,
                at: place,
                suggestion: "paths are relative to the manifest's folder"
            )
        } catch {
            findings.error("unreadable", "the \(noun) '\(path)' can't be looked at: \(error.reason)", at: place)
        }
        return false
    }

    private mutating func text(of path: String, limit: Int, noun: String, at place: Place) -> String? {
        guard exists(path, .file, noun: noun, at: place) else { return nil }
        do {
            let bytes = try HostFiles.read(path, limit: limit)
            guard let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains("\0") else {
                findings.error("not-utf8", "the \(noun) '\(path)' is not UTF-8 text", at: place)
                return nil
            }
            return text
        } catch {
            findings.error("unreadable", "the \(noun) '\(path)' can't be read: \(error.reason)", at: place)
            return nil
        }
    }
}
