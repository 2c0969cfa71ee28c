/// A complete file of an archive.
package struct TarFile: Sendable, Hashable {
    /// Its entry.
    package var entry: TarEntry
    /// Its content.
    package var content: [UInt8]

    /// A file with its content.
    package init(entry: TarEntry, content: [UInt8]) {
        self.entry = entry
        self.content = content
    }
}
