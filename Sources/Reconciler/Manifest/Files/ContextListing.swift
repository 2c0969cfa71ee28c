package import ReconcilerModel

/// What lies in a build context, and the digest that stands for it.
package struct ContextListing: Sendable, Hashable {
    /// One file, folder or link.
    ///
    /// Owner, times and mode bits other than the owner's execute bit do not count.
    package enum Content: Sendable, Hashable {
        case folder
        /// A symbolic link; its target is as written and not followed.
        case link(String)
        case file(digest: ContentDigest, isExecutable: Bool)
    }

    /// Path below the context → what is there.
    package var entries: [String: Content]

    package init(_ entries: [String: Content] = [:]) { self.entries = entries }

    /// The paths, sorted by their bytes: a folder comes before what is in it.
    package var paths: [String] { entries.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    /// SHA-256 over one line an entry: kind, execute bit, path, and digest of the content.
    package var digest: ContentDigest {
        var listing = "bottle-context-v1\n"
        for path in paths {
            // A path's length before it, so that no name can look like two lines.
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
