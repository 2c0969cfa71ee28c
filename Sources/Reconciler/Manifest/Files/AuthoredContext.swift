import ReconcilerModel

/// A build context in the person's folders, as it was at one moment.
struct AuthoredContext {
    /// Limits that turn a context on the wrong folder into an error instead of a full disk.
    static let maximumFiles = 20_000
    static let maximumBytes = 256 << 20

    private(set) var listing = ContextListing()
    private let root: String
    private var bytes = 0

    /// Reads the metadata of every file below `root` that `.dockerignore` doesn't exclude.
    ///
    /// The Dockerfile and `.dockerignore` always belong to the context. Ignores owner, times and all mode bits except
    /// the owner's execute bit.
    init(root: String, dockerfile: String) throws(FileProblem) {
        self.root = root
        var rules = IgnoreRules("")
        if try HostFiles.status(root + "/.dockerignore")?.kind == .file {
            rules = IgnoreRules(
                String(decoding: try HostFiles.read(root + "/.dockerignore", limit: 1 << 20), as: UTF8.self)
            )
        }
        try walk("", rules: rules, kept: [HostPath.normal("/" + dockerfile), "/.dockerignore"])
    }

    /// Copies the context to the folder `<store>/<digest>`, completely or not at all.
    ///
    /// Reuses an existing copy. If a file changed since it was listed, stores nothing.
    func keep(in store: String) throws(FileProblem) {
        let final = store + "/" + listing.digest.hex
        if try HostFiles.status(final)?.kind == .folder { return }
        let draft = "\(final).\(HostFiles.processID).tmp"
        try HostFiles.remove(draft)
        try HostFiles.makeFolder(draft)
        do {
            try copy(to: draft)
            if try !HostFiles.move(draft, to: final) { try HostFiles.remove(draft) }
        } catch {
            // Report the first problem. If the draft stays, the next attempt under its name removes it.
            try? HostFiles.remove(draft)
            throw error
        }
    }

    private func copy(to folder: String) throws(FileProblem) {
        for path in listing.paths {
            let target = folder + "/" + path
            switch listing.entries[path] {
            case .folder: try HostFiles.makeFolder(target)
            case .link(let destination): try HostFiles.makeLink(target, to: destination)
            case .file(let digest, let isExecutable):
                let bytes = try HostFiles.read(root + "/" + path, limit: Self.maximumBytes, followsLinks: false)
                guard ContentDigest(of: bytes) == digest else {
                    throw FileProblem(root + "/" + path, "it changed while it was read; run the command again")
                }
                try HostFiles.write(bytes, to: target, mode: isExecutable ? 0o755 : 0o644)
            case nil: continue
            }
        }
    }

    private mutating func walk(_ folder: String, rules: IgnoreRules, kept: Set<String>) throws(FileProblem) {
        for name in try HostFiles.names(in: folder.isEmpty ? root : root + "/" + folder) {
            let path = folder.isEmpty ? name : folder + "/" + name
            let full = root + "/" + path
            guard let status = try HostFiles.status(full, followsLinks: false) else { continue }
            let leadsToKept = kept.contains { HostPath.lies($0, within: "/" + path) }
            let isIgnored = rules.ignores(path) && !kept.contains("/" + path)
            if isIgnored, status.kind != .folder { continue }
            guard listing.entries.count < Self.maximumFiles else {
                throw FileProblem(root, "the build context has more than \(Self.maximumFiles) files; use .dockerignore")
            }
            switch status.kind {
            case .folder:
                let count = listing.entries.count
                if isIgnored, !rules.hasExceptions, !leadsToKept { continue }
                listing.entries[path] = .folder
                try walk(path, rules: rules, kept: kept)
                // Keep an ignored folder only if an exception brings back something in it.
                if isIgnored, listing.entries.count == count + 1 { listing.entries[path] = nil }
            case .link:
                listing.entries[path] = .link(try HostFiles.target(ofLink: full))
            case .file:
                bytes += status.size
                guard bytes <= Self.maximumBytes else {
                    throw FileProblem(
                        root,
                        "the build context has more than \(Self.maximumBytes >> 20) MiB; use .dockerignore"
                    )
                }
                let content = try HostFiles.read(full, limit: Self.maximumBytes, followsLinks: false)
                listing.entries[path] = .file(
                    digest: ContentDigest(of: content),
                    isExecutable: status.isExecutable
                )
            case .other:
                throw FileProblem(full, "it is neither a file, a folder nor a link; use .dockerignore")
            }
        }
    }
}
