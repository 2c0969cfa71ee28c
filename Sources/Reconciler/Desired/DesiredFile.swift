package import ReconcilerTime

/// A file that must be inside a container, with its bytes.
package struct DesiredFile: Sendable, Hashable {
    package var path: String
    package var content: [UInt8]
    package var mode: UInt32
    package var owner: Int
    package var group: Int
    /// Whether the program reads it again on SIGHUP, so that it counts for the generation.
    package var isReloadable: Bool

    package init(
        path: String,
        content: [UInt8],
        mode: UInt32 = 0o644,
        owner: Int = 0,
        group: Int = 0,
        isReloadable: Bool = false
    ) {
        self.path = path
        self.content = content
        self.mode = mode
        self.owner = owner
        self.group = group
        self.isReloadable = isReloadable
    }

    package var digest: ContentDigest { ContentDigest(of: content) }

    /// When the file says it was last changed: a moment made from its content, so that one look at size, mode and
    /// time tells whether it is the one we put there.
    package var stamp: Timestamp { Timestamp(contentDigest: digest) }
}

/// A user and a group, by number.
package struct FileOwner: Sendable, Hashable {
    package var user: Int
    package var group: Int

    package init(user: Int, group: Int) {
        self.user = user
        self.group = group
    }
}

/// Which content a sidecar has in force: SHA-256 over its reloadable files.
package enum Generation {
    /// One line a file, sorted by path, in the form `sha256sum` prints: digest, two spaces, path.
    package static func digest(of files: [DesiredFile]) -> ContentDigest? {
        let reloadable = files.filter(\.isReloadable).sorted { $0.path < $1.path }
        guard !reloadable.isEmpty else { return nil }
        return ContentDigest(of: reloadable.map { "\($0.digest)  \($0.path)\n" }.joined())
    }
}
