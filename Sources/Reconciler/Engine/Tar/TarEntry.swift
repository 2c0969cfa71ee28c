package import ReconcilerTime

/// One file, folder or link in a tar archive.
package struct TarEntry: Sendable, Hashable {
    /// What the entry is.
    package enum Kind: Sendable, Hashable {
        case file
        case folder
        /// A symbolic link; its target is as written, not resolved.
        case symbolicLink(target: String)
        /// Another name of an entry that came earlier in the archive.
        case hardLink(target: String)
        /// A device, pipe or something unknown, with its type byte.
        case other(UInt8)
    }

    /// The path inside the archive: relative, without `.` and `..`, without a slash at the end; empty for the root.
    package var path: String
    /// What it is.
    package var kind: Kind
    /// The permission bits, with set-uid, set-gid and sticky.
    package var mode: UInt32
    /// The owner's number.
    package var uid: Int64
    /// The group's number.
    package var gid: Int64
    /// The content's bytes; 0 for all but files.
    package var size: Int64
    /// When the content last changed.
    package var modifiedAt: Timestamp

    /// An entry; by default root's.
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

/// The layout of a ustar header: 512 bytes of fixed fields.
enum TarLayout {
    static let block = 512
    static let name = 0..<100
    static let mode = 100..<108
    static let uid = 108..<116
    static let gid = 116..<124
    static let size = 124..<136
    static let modifiedAt = 136..<148
    static let checksum = 148..<156
    static let type = 156
    static let linkName = 157..<257
    static let magic = 257..<265
    static let prefix = 345..<500

    /// How many zero bytes follow a content of `size`.
    static func padding(_ size: Int64) -> Int {
        Int((Int64(block) - size % Int64(block)) % Int64(block))
    }

    /// The sum of a header's bytes with the checksum field read as blanks.
    static func sum(_ header: some Collection<UInt8>) -> Int {
        var sum = 0
        for (offset, byte) in header.enumerated() {
            sum += checksum.contains(offset) ? 0x20 : Int(byte)
        }
        return sum
    }
}
