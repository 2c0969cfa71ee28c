import ReconcilerEngine
import ReconcilerManifest
package import ReconcilerModel
import ReconcilerPlatform

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The files that an image is built from.
///
/// Stored copies and this program's own files are read only for a build.
package struct BuildContext: Sendable, Hashable {
    /// One file, folder or link of a context.
    package enum Entry: Sendable, Hashable {
        case folder
        /// A symbolic link; the builder follows it within the context.
        case link(String)
        case file([UInt8], isExecutable: Bool)
    }

    private enum Source: Sendable, Hashable {
        case read([String: Entry])
        case stored(folder: String)
        /// Files that were read, and files of this program, which are read only for a build.
        case program([String: Entry], [ProgramFile])
    }

    /// The folder of this program's files in a context.
    private static let programFolder = "program"

    /// What goes into an image: names, content, links, and whether a file may be run.
    package let digest: ContentDigest
    private let source: Source

    /// A context of `entries`, by path below it.
    package init(_ entries: [String: Entry]) {
        digest = Self.digest(of: entries)
        source = .read(entries)
    }

    /// The copy in `folder` of the context that was pinned by `digest`; it need not exist before a build.
    package init(storedIn folder: String, digest: ContentDigest) {
        self.digest = digest
        source = .stored(folder: folder)
    }

    /// Reads a folder, and adds this program: the context of an image that runs it.
    ///
    /// The same program gives the same digest; its files are not read for that.
    /// - Returns: nil if a container could not run this program.
    /// - Throws: `BottleError` `context-unreadable`.
    static func readWithProgram(_ folder: String) throws -> BuildContext? {
        var entries = try entries(of: folder, keepingEverything: false)
        do {
            guard let files = try ProgramFile.ofThisProcess() else { return nil }
            entries[programFolder] = .folder
            for file in files {
                for name in file.otherNames { entries["\(programFolder)/\(name)"] = .link(file.name) }
            }
            return BuildContext(entries, files)
        } catch let error as SystemError {
            throw BottleError(.contextUnreadable, "this program's own files can't be read", cause: "\(error)")
        }
    }

    private init(_ entries: [String: Entry], _ files: [ProgramFile]) {
        var listing = Self.listing(of: entries)
        for file in files {
            listing.entries["\(Self.programFolder)/\(file.name)"] = .file(digest: file.mark, isExecutable: true)
        }
        digest = listing.digest
        source = .program(entries, files)
    }

    /// Reads a folder; its `tests`, `README.md` and `ruff.toml`, hidden files and Python's caches stay out.
    ///
    /// - Throws: `BottleError` `context-unreadable`, also for anything but files, folders and links.
    package static func read(_ folder: String) throws -> BuildContext {
        BuildContext(try entries(of: folder, keepingEverything: false))
    }

    /// The context as the builder takes it: the same bytes for the same files.
    ///
    /// - Throws: `BottleError` `context-unreadable` for a stored copy that is gone or differs from what was pinned.
    package func archive() throws -> [UInt8] {
        let entries = try entries()
        var writer = TarWriter()
        for path in Self.listing(of: entries).paths {
            switch entries[path] {
            case .folder: try writer.add(TarEntry(path: path, kind: .folder, mode: 0o755))
            case .link(let target):
                try writer.add(TarEntry(path: path, kind: .symbolicLink(target: target), mode: 0o777))
            case .file(let content, let isExecutable):
                try writer.add(TarEntry(path: path, mode: isExecutable ? 0o755 : 0o644), content: content)
            case nil: continue
            }
        }
        return writer.finish()
    }

    func entries() throws -> [String: Entry] {
        switch source {
        case .read(let entries): return entries
        case .program(var entries, let files):
            for file in files {
                entries["\(Self.programFolder)/\(file.name)"] = .file(try file.content(), isExecutable: true)
            }
            return entries
        case .stored(let folder):
            let entries = try Self.entries(of: folder, keepingEverything: true)
            guard Self.digest(of: entries) == digest else {
                throw BottleError(
                    .contextUnreadable,
                    "the stored copy of the build context is not what was applied",
                    at: folder,
                    remedy: "remove this folder and apply the manifest again"
                )
            }
            return entries
        }
    }

    private static func listing(of entries: [String: Entry]) -> ContextListing {
        ContextListing(
            entries.mapValues { entry in
                switch entry {
                case .folder: .folder
                case .link(let target): .link(target)
                case .file(let content, let isExecutable):
                    .file(digest: ContentDigest(of: content), isExecutable: isExecutable)
                }
            }
        )
    }

    private static func digest(of entries: [String: Entry]) -> ContentDigest { listing(of: entries).digest }

    // MARK: - Reading

    private static func entries(of folder: String, keepingEverything: Bool) throws -> [String: Entry] {
        do {
            // A link in place of the folder could lead anywhere.
            guard let status = try POSIX.status(folder, followLinks: !keepingEverything),
                status.st_mode & S_IFMT == S_IFDIR
            else {
                throw BottleError(
                    .contextUnreadable,
                    "there is no such folder",
                    at: folder,
                    remedy: keepingEverything ? "apply the manifest again" : nil
                )
            }
            var entries: [String: Entry] = [:]
            try collect(folder, below: "", all: keepingEverything, into: &entries)
            return entries
        } catch let error as BottleError {
            throw error
        } catch {
            throw BottleError(
                .contextUnreadable,
                "the build context can't be read",
                at: folder,
                remedy: "mend its permissions",
                cause: "\(error)"
            )
        }
    }

    private static func collect(
        _ folder: String,
        below prefix: String,
        all: Bool,
        into entries: inout [String: Entry]
    ) throws {
        for name in try POSIX.names(in: folder) ?? [] {
            let isAside =
                name.hasPrefix(".") || name == "__pycache__"
                || (prefix.isEmpty && ["tests", "README.md", "ruff.toml"].contains(name))
            if isAside && !all { continue }
            let path = "\(folder)/\(name)"
            guard let status = try POSIX.status(path, followLinks: false) else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                entries[prefix + name] = .folder
                try collect(path, below: "\(prefix)\(name)/", all: all, into: &entries)
            case S_IFREG:
                let content = try DurableFile.read(path, limit: 256 << 20, followLinks: false) ?? []
                entries[prefix + name] = .file(content, isExecutable: status.st_mode & S_IXUSR != 0)
            case S_IFLNK:
                entries[prefix + name] = .link(try POSIX.target(ofLink: path))
            default:
                throw BottleError(.contextUnreadable, "only files, folders and links can be built from", at: path)
            }
        }
    }
}

extension POSIX {
    /// What the symbolic link at `path` holds.
    fileprivate static func target(ofLink path: String) throws -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            guard let base = unsafe bytes.assumingMemoryBound(to: CChar.self).baseAddress else { return -1 }
            return unsafe readlink(path, base, bytes.count)
        }
        guard count >= 0 else { throw SystemError("read link", path, errno) }
        guard count < buffer.count else { throw SystemError("read link", path, ENAMETOOLONG) }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
