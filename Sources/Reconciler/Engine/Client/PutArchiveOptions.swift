/// How to unpack an archive.
package struct PutArchiveOptions: Sendable, Hashable {
    /// Whether the engine refuses to replace a folder by a file, or the reverse.
    package var keepKinds: Bool
    /// The engine's `copyUIDGID`: whether ownership goes to the container's user instead of the archive's.
    package var copyOwner: Bool

    /// Options; by default as the archive says.
    package init(keepKinds: Bool = true, copyOwner: Bool = false) {
        self.keepKinds = keepKinds
        self.copyOwner = copyOwner
    }
}
