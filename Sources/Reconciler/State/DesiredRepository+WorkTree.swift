import ReconcilerModel
import ReconcilerPlatform

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension DesiredRepository {
    /// Files of the work tree that differ from HEAD: edited, added or missing; sorted paths.
    ///
    /// They have no say: HEAD is what is desired.
    package func dirtyFiles() async throws -> [String] {
        try await Self.explained(folder) {
            let revision = try await head()
            let entries = try await entries(of: revision)
            return try differences(from: entries, revision: revision).map(\.path).sorted()
        }
    }

    /// A path whose file in the work tree is not what the revision has.
    private struct Difference {
        let path: String
        /// What the revision has; nil: nothing.
        let entry: GitEntry?
        /// The id that the file's content has or would have; nil when there is no file.
        let found: String?
        /// Whether something other than a readable regular file is in the way.
        let isStrange: Bool
    }

    private func differences(from entries: [GitEntry], revision: Revision) throws -> [Difference] {
        let known = Dictionary(entries.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        return try Set(known.keys).union(files()).compactMap { path in
            try difference(path, entry: known[path], revision: revision)
        }
    }

    private func difference(_ path: String, entry: GitEntry?, revision: Revision) throws -> Difference? {
        for parent in Self.parents(of: path) {
            guard let status = try POSIX.status("\(folder)/\(parent)", followLinks: false) else { break }
            guard status.st_mode & S_IFMT == S_IFDIR else {
                return Difference(path: path, entry: entry, found: nil, isStrange: true)
            }
        }
        do {
            let bytes = try DurableFile.read("\(folder)/\(path)", limit: 64 << 20, followLinks: false)
            let found = bytes.map { GitObject.blobID(of: $0, like: revision.id) }
            if found == entry?.id { return nil }
            return Difference(path: path, entry: entry, found: found, isStrange: false)
        } catch is DurableFile.Unsuitable {
            return Difference(path: path, entry: entry, found: nil, isStrange: true)
        }
    }

    /// Stops before a commit would overwrite what only the work tree has.
    ///
    /// Content of an older revision, as a killed writer leaves it, is no one's loss.
    func refuseEdited(_ paths: Set<String>, entries: [String: GitEntry], revision: Revision) async throws {
        for path in paths.sorted() {
            guard let difference = try difference(path, entry: entries[path], revision: revision) else { continue }
            guard try await isOnlyHere(difference, revision) else { continue }
            throw BottleError(
                .desiredDirty,
                "\(path) was edited there and not committed",
                at: folder,
                remedy: "keep the edit (git -C '\(folder)' add \(path) && git -C '\(folder)' commit) or drop it "
                    + "(git -C '\(folder)' checkout HEAD -- \(path); rm it if HEAD has none), then run the command again"
            )
        }
    }

    /// Whether no revision up to this one has the content.
    private func isOnlyHere(_ difference: Difference, _ revision: Revision) async throws -> Bool {
        if difference.isStrange { return true }
        guard let found = difference.found else { return false }
        let history = try await git.output(["rev-list", "--objects", revision.id])
        return !history.split(separator: UInt8(ascii: "\n")).contains { $0.starts(with: found.utf8) }
    }

    /// Makes these files of the work tree what the revision has, save those whose content only the work tree has.
    ///
    /// - Parameter contents: what is known of the revision's files, by their ids.
    func refreshWorkTree(
        _ paths: Set<String>,
        to entries: [String: GitEntry],
        of revision: Revision,
        contents: [String: [UInt8]] = [:]
    ) async throws {
        for path in paths.sorted() {
            guard let difference = try difference(path, entry: entries[path], revision: revision) else { continue }
            if try await isOnlyHere(difference, revision) { continue }
            let path = "\(folder)/\(difference.path)"
            guard let entry = difference.entry else {
                try POSIX.unlink(path)
                for parent in Self.parents(of: difference.path).reversed() {
                    // Fails, as it should, while the folder holds something.
                    _ = unsafe rmdir("\(folder)/\(parent)")
                }
                continue
            }
            guard entry.kind == "blob", entry.mode.hasPrefix("100") else { continue }
            for parent in Self.parents(of: difference.path) { try POSIX.makeFolder("\(folder)/\(parent)") }
            let content =
                if let known = contents[entry.id] { known } else {
                    try await git.output(["cat-file", "blob", entry.id])
                }
            try DurableFile.write(content, to: path)
        }
    }

    /// Brings git's index to the revision, so that `git status` shows people only what people did.
    ///
    /// - Parameter lines: the changes; whatever else someone staged stays.
    func refreshIndex(with lines: String, of revision: Revision) async throws {
        let index = "\(git.folder)/index"
        try await withScratch { scratch in
            let new = "\(scratch)/\(Self.scratchIndex)"
            let variables = ["GIT_INDEX_FILE": new]
            var done = false
            if let present = try DurableFile.read(index, limit: 256 << 20, followLinks: false) {
                try DurableFile.write(present, to: new)
                done = try await git.run(
                    ["update-index", "-z", "--index-info"],
                    input: Array(lines.utf8),
                    variables: variables
                ).succeeded
            }
            if !done { _ = try await git.output(["read-tree", revision.id], variables: variables) }
            // The lock of git's own protocol, as a second name of our file: a leftover is known for ours by that.
            // When someone's git holds it, the index is theirs now; it is a view, and the next commit brings it up.
            if try POSIX.link(new, as: "\(index).lock") { try POSIX.rename("\(index).lock", to: index) }
        }
    }

    /// The files as `git update-index --index-info` reads them; nil: removed.
    static func indexLines(_ files: [String: GitEntry?], like example: String) -> String {
        files.sorted { $0.key < $1.key }.map { path, entry in
            guard let entry else { return "0 \(String(repeating: "0", count: example.utf8.count))\t\(path)\0" }
            return "\(entry.mode) \(entry.id)\t\(path)\0"
        }.joined()
    }

    private func files() throws -> Set<String> {
        var found: Set<String> = []
        var folders = [""]
        while let relative = folders.popLast() {
            for name in try POSIX.names(in: "\(folder)/\(relative)") ?? [] where !(relative.isEmpty && name == ".git") {
                let path = relative + name
                let status = try POSIX.status("\(folder)/\(path)", followLinks: false)
                guard let status else { continue }
                if status.st_mode & S_IFMT == S_IFDIR { folders.append(path + "/") } else { found.insert(path) }
            }
        }
        return found
    }

    private static func parents(of path: String) -> [String] {
        let components = path.split(separator: "/").dropLast()
        return components.indices.map { components[...$0].joined(separator: "/") }
    }
}
