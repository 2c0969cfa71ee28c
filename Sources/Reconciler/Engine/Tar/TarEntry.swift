package import ReconcilerTime

/// One file, folder or link in a tar archive.
package struct TarEntry: Sendable, Hashable {
    /// What the entry is.
    package enum Kind: Sendable, Hashable {
        case file
        case folder
        /// A symbolic link with its target as written, not resolved.
        case symbolicLink(target: String)
        /// Another name of an earlier entry in the archive.
        case hardLink(target: String)
        /// A device, pipe or something unknown, with its type byte.
        case other(UInt8)
    }

    /// The path inside the archive: relative, without `.`, `..` and a trailing slash; empty for the root.
    package var path: String
    /// What it is.
    package var kind: Kind
    /// The permission bits, with set-uid, set-gid and sticky.
    package var mode: UInt32
    /// The owner's number.
    package var uid: Int64
    /// The group's number.
    package var gid: Int64
    /// The content's size in bytes; 0 for everything but files.
    package var size: Int64
    /// When the content last changed.
    package var modifiedAt: Timestamp

    /// An entry, owned by root by default.
    package init(
        path: String,
        kind: Kind = .file,
        mode: UInt32 = 0o644,
        uid: Int64 = 0,
        gid: Int64 = 0,
        size: Int64 = 0,
        modifiedAt: Timestamp = Timestamp(seconds: 0)
    ) {
        self.path = path
        self.kind = kind
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.size = size
        self.modifiedAt = modifiedAt
    }
}
