package import ReconcilerModel

/// The content of a build context, and the digest that identifies it.
package struct ContextListing: Sendable, Hashable {
    /// One file, folder or link.
    ///
    /// Ignores owner, times and all mode bits except the owner's execute bit.
    package enum Content: Sendable, Hashable {
        case folder
        /// A symbolic link with its target as written, which is not followed.
        case link(String)
        case file(digest: ContentDigest, isExecutable: Bool)
    }

    /// Path relative to the context → what it is.
    package var entries: [String: Content]

    package init(_ entries: [String: Content] = [:]) { self.entries = entries }

    /// The paths sorted by their bytes: a folder comes before its content.
    package var paths: [String] { entries.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    /// SHA-256 over one line per entry: kind, execute bit, path, digest of the content.
    package var digest: ContentDigest {
        var listing = "bottle-context-v1\n"
        for path in paths {
            // The path's length comes first, so that no name can look like two lines.
            let name = "\(path.utf8.count):\(path)"
            switch entries[path] {
            case .folder: listing += "d \(name)\n"
            case .link(let target): listing += "l \(name) \(target.utf8.count):\(target)\n"
            case .file(let digest, let isExecutable): listing += "\(isExecutable ? "x" : "f") \(name) \(digest)\n"
            case nil: continue
            }
        }
        return ContentDigest(of: listing)
    }
}
