package import ReconcilerTime

/// A file in a container, as `HEAD /containers/{id}/archive` describes it: without owner and hash.
package struct PathStat: Codable, Sendable, Hashable {
    /// Its last path component.
    package var name: String
    /// Its size in bytes.
    package var size: Int64
    /// Go's file mode: the permission bits as usual, the kind in the high bits.
    package var mode: UInt32
    /// When its content last changed.
    package var modifiedAt: Timestamp
    /// A symbolic link's target, resolved to an absolute path inside the container; empty for anything else.
    package var linkTarget: String
    /// The engine's clock at the answer, to the second; nil if it sent none.
    package var seenAt: Timestamp?

    private enum CodingKeys: String, CodingKey {
        case name
        case size
        case mode
        case modifiedAt = "mtime"
        case linkTarget
    }

    /// A file's state.
    package init(
        name: String,
        size: Int64,
        mode: UInt32,
        modifiedAt: Timestamp,
        linkTarget: String = "",
        seenAt: Timestamp? = nil
    ) {
        self.name = name
        self.size = size
        self.mode = mode
        self.modifiedAt = modifiedAt
        self.linkTarget = linkTarget
        self.seenAt = seenAt
    }

    /// Decodes the engine's JSON.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        size = try values.decode(Int64.self, forKey: .size)
        mode = try values.decode(UInt32.self, forKey: .mode)
        modifiedAt = try values.decode(Timestamp.self, forKey: .modifiedAt)
        linkTarget = try values.decode(.linkTarget, or: "")
    }

    /// Go's bit for a folder.
    package static let folderBit: UInt32 = 1 << 31
    /// Go's bit for a symbolic link.
    package static let linkBit: UInt32 = 1 << 27

    /// Whether it is a folder.
    package var isFolder: Bool { mode & Self.folderBit != 0 }
    /// Whether it is a symbolic link.
    package var isLink: Bool { mode & Self.linkBit != 0 }
    /// The nine permission bits.
    package var permissions: UInt32 { mode & 0o777 }
}
