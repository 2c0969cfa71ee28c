import ReconcilerEngine
package import ReconcilerModel

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The files an image is built from, read whole.
package struct BuildContext: Sendable, Hashable {
    package struct File: Sendable, Hashable {
        package var path: String
        package var isExecutable: Bool
        package var content: [UInt8]
    }

    /// Sorted by path.
    package let files: [File]
    package let digest: ContentDigest

    package init(files: [File]) {
        self.files = files.sorted { $0.path < $1.path }
        // What goes into an image: names, content, and whether a file may be run.
        digest = ContentDigest(
            of: self.files.map { "\(ContentDigest(of: $0.content)) \($0.isExecutable ? "x" : "-") \($0.path)\n" }
                .joined()
        )
    }

    /// Reads a folder; its `tests`, `README.md` and `ruff.toml`, hidden files and Python's caches stay out unless
    /// everything is kept.
    ///
    /// - Throws: `BottleError` `context-unreadable`, for what is neither a file nor a folder too.
    package static func read(_ folder: String, keepingEverything: Bool = false) throws -> BuildContext {
        var files: [File] = []
        do {
            guard try POSIX.names(in: folder) != nil else {
                throw BottleError("context-unreadable", "there is no such folder", at: folder)
            }
            try collect(folder, below: "", all: keepingEverything, into: &files)
        } catch let error as BottleError {
            throw error
        } catch {
            throw BottleError(
                "context-unreadable",
                "the build context can't be read",
                at: folder,
                remedy: "mend its permissions",
                cause: "\(error)"
            )
        }
        return BuildContext(files: files)
    }

    private static func collect(
        _ folder: String,
        below prefix: String,
        all: Bool,
        into files: inout [File]
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
                try collect(path, below: "\(prefix)\(name)/", all: all, into: &files)
            case S_IFREG:
                let content = try DurableFile.read(path, limit: 64 << 20, followLinks: false) ?? []
                files.append(
                    File(path: prefix + name, isExecutable: status.st_mode & S_IXUSR != 0, content: content)
                )
            default:
                throw BottleError("context-unreadable", "only files and folders can be built from", at: path)
            }
        }
    }

    /// The context as the builder takes it: the same bytes for the same files.
    package func archive() throws -> [UInt8] {
        var writer = TarWriter()
        var folders: Set<String> = []
        for file in files {
            var parent = file.path.split(separator: "/").dropLast().map(String.init)
            var missing: [String] = []
            while !parent.isEmpty, folders.insert(parent.joined(separator: "/")).inserted {
                missing.append(parent.joined(separator: "/"))
                parent.removeLast()
            }
            for folder in missing.reversed() { try writer.add(TarEntry(path: folder, kind: .folder, mode: 0o755)) }
            try writer.add(
                TarEntry(path: file.path, mode: file.isExecutable ? 0o755 : 0o644),
                content: file.content
            )
        }
        return writer.finish()
    }
}
