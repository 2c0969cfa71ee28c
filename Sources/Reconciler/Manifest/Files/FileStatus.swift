/// The kinds of file that we distinguish.
enum FileKind: Sendable, Hashable { case file, folder, link, other }

/// The system's metadata for a path.
struct FileStatus: Sendable, Hashable {
    var kind: FileKind
    var size: Int
    var isExecutable: Bool
    /// Whether its group or others have any permission on it.
    var isShared: Bool
}
