package import ReconcilerModel
import ReconcilerPlatform

/// The desired state of all bottles, in a real git repository: `bottles/<id>.yaml`, `remediations/<id>/…` (SPEC 5).
///
/// HEAD is the truth; the work tree is a view for people, brought up to date after each commit. The repository is made
/// with a first, empty commit, so a HEAD that names no commit always means damage and never "no bottles".
package struct DesiredRepository: Sendable {
    /// The work tree.
    package let folder: String
    let git: Git
    let lock: FileLock
    /// Who is told of each commit.
    let controller: ControlSocket
    let memory = ChangeMemory()

    private init(of state: StateFolder, environment: [String: String]) {
        folder = state.desired
        git = Git(workTree: folder, environment: environment)
        lock = state.desiredLock
        controller = ControlSocket(path: state.controlSocket)
    }

    /// Opens the repository; nil when none was made yet.
    ///
    /// Changes nothing.
    /// - Throws: `BottleError` `desired-unreadable` when it is gone though bottles are recorded.
    package static func open(in state: StateFolder, environment: [String: String]) throws -> DesiredRepository? {
        if try POSIX.status("\(state.desired)/.git", followLinks: true) != nil {
            return DesiredRepository(of: state, environment: environment)
        }
        let records = try POSIX.names(in: state.records) ?? []
        let remains = try POSIX.status(state.desired, followLinks: false) != nil
        guard !remains, !records.contains(where: { $0.hasSuffix(".json") }) else {
            throw unreadable(
                state.desired,
                remains ? "it is no git repository" : "it is gone, though there are records of bottles"
            )
        }
        return nil
    }

    /// Opens the repository, making it where there is none.
    ///
    /// A repository appears whole, with its first commit, or not at all. One process makes it, others wait.
    package static func create(
        in state: StateFolder,
        environment: [String: String]
    ) async throws -> DesiredRepository {
        if let existing = try open(in: state, environment: environment) { return existing }
        return try await explained(state.desired) {
            try await state.desiredLock.withLock {
                if let existing = try open(in: state, environment: environment) { return existing }
                let prefix = ".desired."
                for name in try POSIX.names(in: state.path) ?? [] where name.hasPrefix(prefix) {
                    try POSIX.removeTree("\(state.path)/\(name)")
                }
                let temporary = "\(state.path)/\(prefix)\(POSIX.randomHexadecimal()).tmp"
                try POSIX.makeFolder(temporary)
                let git = Git(workTree: temporary, environment: environment)
                try await git.initialize()
                let user = await git.operator()
                let tree = try await git.line(["write-tree"])
                let commit = try await git.commit(
                    tree: tree,
                    parents: [],
                    message: "Begin the desired state of installation \(state.installation)\n",
                    author: user.author,
                    by: user
                )
                _ = try await git.output(["update-ref", "HEAD", commit])
                try POSIX.rename(temporary, to: state.desired)
                try DurableFile.synchronizeFolder(state.path)
                return DesiredRepository(of: state, environment: environment)
            }
        }
    }

    /// The revision that is desired now, read without a process.
    ///
    /// - Throws: `BottleError` `desired-unreadable`.
    package func head() async throws -> Revision {
        try await Self.explained(folder) {
            if let revision = try headFromFiles() { return revision }
            // An unusual layout, or damage: git's own word decides.
            let outcome = try await git.run(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
            let text = String(decoding: outcome.output, as: UTF8.self)
            guard outcome.succeeded, let revision = Revision(text.prefix(while: { $0 != "\n" })) else {
                throw Self.unreadable(folder, "HEAD names no commit")
            }
            return revision
        }
    }

    /// One bottle's manifest as desired now, and the revision it was read from; one process.
    ///
    /// - Returns: a nil text when the revision has no such bottle.
    /// - Throws: `BottleError` `desired-unreadable`.
    package func bottle(_ identity: Identity) async throws -> (text: String?, revision: Revision) {
        try await Self.explained(folder) {
            let revision = try await head()
            return (try await look(at: identity, in: revision).text, revision)
        }
    }

    /// One bottle's manifest and the files of its remediations, by path; one process, two when there are any.
    ///
    /// - Throws: `BottleError` `desired-unreadable`; never a part.
    func files(of identity: Identity, at revision: Revision) async throws -> (text: String?, files: [String: String]) {
        try await Self.explained(folder) {
            let found = try await look(at: identity, in: revision)
            guard !found.remediations.isEmpty else { return (found.text, [:]) }
            var files: [String: String] = [:]
            let objects = try await read(found.remediations.map(\.id))
            for (entry, object) in zip(found.remediations, objects) {
                guard let object, entry.kind == "blob" else {
                    throw Self.unreadable(folder, "\(entry.path) is not a file, or its content is missing")
                }
                files[entry.path] = try text(of: object, at: entry.path)
            }
            return (found.text, files)
        }
    }

    /// The manifest's text, and what the folder of remediations holds.
    ///
    /// Missing can also mean damage; only readable trees prove that something is not desired.
    private func look(
        at identity: Identity,
        in revision: Revision
    ) async throws -> (text: String?, remediations: [GitEntry]) {
        let path = Self.path(of: identity)
        let remedies = Self.remediationFolder(of: identity)
        let names = ["^{commit}", "^{tree}", ":\(path)", ":bottles", ":remediations", ":\(remedies)"]
        let objects = try await read(names.map { "\(revision)\($0)" })
        guard objects[0]?.kind == "commit" else {
            throw Self.unreadable(folder, "the commit \(revision.short) that HEAD names is missing")
        }
        /// The object at `index`, or nil when its parent, which is there, has no entry for it.
        func proven(_ index: Int, _ name: String, in parent: GitObject?, _ path: String) throws -> GitObject? {
            if let object = objects[index] { return object }
            guard let parent else { return nil }
            guard let entries = GitEntry.parse(tree: parent.bytes, like: revision.id) else {
                throw Self.unreadable(folder, "the folder of \(path) is not understood")
            }
            guard !entries.contains(where: { $0.path == name }) else {
                throw Self.unreadable(folder, "\(path) is missing from the object store")
            }
            return nil
        }
        guard let root = objects[1] else {
            throw Self.unreadable(folder, "the files of \(revision.short) are missing from the object store")
        }
        let bottles = try proven(3, "bottles", in: root, "bottles")
        let manifest = try proven(2, "\(identity.name).yaml", in: bottles, path)
        let all = try proven(4, "remediations", in: root, "remediations")
        let own = try proven(5, identity.name, in: all, remedies)
        var entries: [GitEntry] = []
        if let own {
            guard own.kind == "tree", let found = GitEntry.parse(tree: own.bytes, like: revision.id) else {
                throw Self.unreadable(folder, "\(remedies) is not a folder")
            }
            entries = found.map { GitEntry(mode: $0.mode, kind: $0.kind, id: $0.id, path: "\(remedies)/\($0.path)") }
        }
        return (try manifest.map { try text(of: $0, at: path) }, entries)
    }

    /// Everything that is desired, of one revision; two processes.
    ///
    /// - Throws: `BottleError` `desired-unreadable`; never a part.
    package func snapshot(at revision: Revision? = nil) async throws -> DesiredSnapshot {
        try await Self.explained(folder) {
            let revision = if let revision { revision } else { try await head() }
            let entries = try await entries(of: revision)
            var snapshot = DesiredSnapshot(revision: revision, bottles: [:], others: [:])
            let objects = entries.isEmpty ? [] : try await read(entries.map(\.id))
            for (entry, object) in zip(entries, objects) {
                guard let object, entry.kind == "blob", entry.mode.hasPrefix("100") else {
                    throw Self.unreadable(folder, "\(entry.path) is not a file, or its content is missing")
                }
                let text = try text(of: object, at: entry.path)
                if let identity = Self.identity(of: entry.path) {
                    snapshot.bottles[identity] = text
                } else {
                    snapshot.others[entry.path] = text
                }
            }
            return snapshot
        }
    }

    /// Where a bottle's manifest is, from the top of the repository.
    package static func path(of identity: Identity) -> String { "bottles/\(identity.name).yaml" }

    /// Everything of a bottle, from the top of the repository: its manifest and the folder of its remediations.
    static func paths(of identity: Identity) -> [String] { [path(of: identity), remediationFolder(of: identity)] }

    static func identity(of path: String) -> Identity? {
        guard path.hasPrefix("bottles/"), path.hasSuffix(".yaml") else { return nil }
        return try? Identity(String(path.dropFirst("bottles/".count).dropLast(".yaml".count)))
    }

    /// The files of a revision.
    func entries(of revision: Revision) async throws -> [GitEntry] {
        let output = try await git.output(["ls-tree", "-r", "-z", "--full-tree", "\(revision)^{commit}"])
        guard let entries = GitEntry.parse(output) else {
            throw Self.unreadable(folder, "git ls-tree is not understood")
        }
        return entries
    }

    func filesByPath(of revision: Revision) async throws -> [String: GitEntry] {
        Dictionary(try await entries(of: revision).map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func read(_ names: [String]) async throws -> [GitObject?] {
        let input = Array((names.joined(separator: "\n") + "\n").utf8)
        let output = try await git.output(["cat-file", "--batch"], input: input)
        guard let objects = GitObject.parse(output, count: names.count) else {
            throw Self.unreadable(folder, "git cat-file is not understood")
        }
        return objects
    }

    private func text(of object: GitObject, at path: String) throws -> String {
        guard object.kind == "blob", let text = String(validating: object.bytes, as: UTF8.self) else {
            throw Self.unreadable(folder, "\(path) is not a text in UTF-8")
        }
        return text
    }

    private func headFromFiles() throws -> Revision? {
        guard let head = try firstLine("HEAD") else { return nil }
        guard head.hasPrefix("ref: ") else { return Revision(head) }
        let name = String(head.dropFirst(5))
        guard name.hasPrefix("refs/"), !name.split(separator: "/").contains("..") else { return nil }
        if let loose = try firstLine(name) { return Revision(loose) }
        let packed = try DurableFile.read("\(git.folder)/packed-refs", limit: 16 << 20, followLinks: false) ?? []
        for line in String(decoding: packed, as: UTF8.self).split(separator: "\n") where line.hasSuffix(" \(name)") {
            return Revision(line.dropLast(name.utf8.count + 1))
        }
        return nil
    }

    private func firstLine(_ name: String) throws -> String? {
        let bytes = try DurableFile.read("\(git.folder)/\(name)", limit: 4096, followLinks: false)
        return bytes.map { String(decoding: $0.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self) }
    }
}

/// What one revision holds.
package struct DesiredSnapshot: Sendable, Hashable {
    package var revision: Revision
    /// The resolved manifests, as YAML.
    package var bottles: [Identity: String]
    /// Every other file, by its path: remediations, and what people put there.
    package var others: [String: String]

    package init(revision: Revision, bottles: [Identity: String], others: [String: String]) {
        self.revision = revision
        self.bottles = bottles
        self.others = others
    }
}

extension BottleError {
    /// `not-found`: nothing desires this bottle.
    package static func missing(_ identity: Identity) -> BottleError {
        BottleError(
            .notFound,
            "there is no bottle '\(identity)'",
            remedy: "`bottle get` lists those there are"
        )
    }
}
